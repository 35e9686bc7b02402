"""Result files: what a worker finished survives its death and its coordinator's. Written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from automl.messages import Outcome, outcome_from, to_json


def write_result(folder: Path, assignment: str, outcomes: tuple[Outcome, ...]) -> None:
    """Write `<folder>/<assignment>.json` by write, fsync, rename, fsync of the folder."""
    text = "[" + ",".join(map(to_json, outcomes)) + "]"
    write_durably(folder / f"{assignment}.json", text.encode())


def read_result(folder: Path, assignment: str) -> tuple[Outcome, ...] | None:
    """Return what a worker left behind, or None where it left nothing."""
    try:
        text = (folder / f"{assignment}.json").read_text()
    except FileNotFoundError:
        return None
    return tuple(outcome_from(item) for item in json.loads(text))


def forget_result(folder: Path, assignment: str) -> None:
    """Remove a result once the ledger has it."""
    (folder / f"{assignment}.json").unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent after a crash; the temporary file lies in the target's own folder."""
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
