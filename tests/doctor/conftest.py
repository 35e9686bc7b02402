"""One finished search, and a copy of it for each test."""

from __future__ import annotations

import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import stubs
from examined import SLOTS, complete

from automl.ledger import Home, Ledger, SearchFolder
from automl.tracking.optuna_view import OptunaView
from automl.tracking.records import record


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one finished search of 40 slots, and Optuna's copy of it; shared, so tests take `folder`."""
    home = Home(tmp_path_factory.mktemp("template") / ".automl")
    home.create()
    folder = home.search("bowl-0")
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        header = replace(stubs.header(), config={"tracking": False})
        ledger.begin(header)
        view = OptunaView({"path": str(folder.optuna), "search": "bowl-0"})
        view.open()
        with closing(view):
            for slot in range(SLOTS):
                view.send(record(header, "optuna", 0, "slot", complete(ledger, slot)))
        ledger.finish({"seconds": 1.0})
        ledger.mark_sent([message for view in ("optuna", "mlflow") for message, *_ in ledger.unsent(view)])
    (folder.root / "lock").touch()
    return home.root


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> SearchFolder:
    """A copy of that search, in the working folder's own home."""
    subprocess.run(["cp", "-r", str(template), str(tmp_path / ".automl")], check=True)
    return Home.from_environment().search("bowl-0")
