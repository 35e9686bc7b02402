"""What the doctor looks at and says: slots of a finished search, its findings, and harm to files. Used by the tests beside this file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from automl.cli.main import run
from automl.ledger import Attempt, Ledger
from automl.messages import Outcome

SLOTS = 40
X = {"name": "FloatDistribution", "attributes": {"step": None, "low": 0.0, "high": 1.0, "log": False}}


def complete(ledger: Ledger, slot: int) -> Attempt:
    suggestion = {"params": {"x": 0.5}, "distributions": {"x": X}}
    opened = ledger.open_attempt(Attempt("trial", slot, 0, 0, "mlp", {"x": 0.5}, seed=7, suggestion=suggestion))
    return ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=0.1 * slot, cost={"seconds": 1.0}))


def examine(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run `automl doctor --json`; returns its exit code and its findings by name."""
    code = run(["doctor", "--json", *options])
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (code == 0)
    return code, {finding["name"]: finding for finding in document["findings"]}


def hashes(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def flip(path: Path, offset: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        old = file.read(count)
        file.seek(offset)
        file.write(bytes(byte ^ 0xFF for byte in old))
