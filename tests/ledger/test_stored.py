"""A key that a hand took from a ledger, or a null that it put there: one line and exit code 5, whoever reads it."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import stubs

from automl.cli.main import run
from automl.ledger import Attempt, Home, Ledger
from automl.ledger.stored import Stored
from automl.messages import Outcome, to_json

Change = Callable[[str, str, Callable[[dict[str, Any]], None]], None]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """Change a JSON document of an untracked search with one slot: table, column, how."""
    folder = Home(tmp_path / ".automl").search("bowl-0")
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        header = stubs.header()
        header.config["tracking"] = False
        header.data.update(parts={"train": 60}, left_out=0, warnings=["odd"])
        ledger.begin(header)
        suggestion: dict[str, Any] = {"params": {}, "distributions": {}}
        opened = ledger.open_attempt(Attempt("trial", 0, 0, 0, "mlp", {}, seed=7, suggestion=suggestion))
        curve = ((1, {"objective": 0.5}),)
        ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=0.5, curve=curve, cost={"seconds": 1.0}))

    def change(table: str, column: str, how: Callable[[dict[str, Any]], None]) -> None:
        with closing(sqlite3.connect(folder.ledger)) as database, database:
            document = json.loads(database.execute(f"SELECT {column} FROM {table}").fetchone()[0])
            how(document)
            database.execute(f"UPDATE {table} SET {column} = ?", (to_json(document),))

    return change


@pytest.mark.parametrize(
    ("command", "column", "key"),
    [
        ("report bowl-0", "task", "name"),
        ("searches sync bowl-0", "task", "direction"),
        ("searches show bowl-0", "task", "metric"),
        ("report bowl-0", "config", "seed"),
        ("report bowl-0", "data", "rows"),
    ],
)
@pytest.mark.parametrize("how", ["deleted", "null"])
def test_what_a_header_lacks_is_named(
    command: str, column: str, key: str, how: str, change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    change("search", column, lambda document: document.pop(key) if how == "deleted" else document.update({key: None}))
    assert run(command.split()) == 5
    said = capsys.readouterr().err
    assert (f"(its '{column}' has no '{key}')" if how == "deleted" else f"(its '{column}.{key}' is null)") in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("key", ["params", "distributions"])
def test_what_a_suggestion_lacks_is_named(key: str, change: Change, capsys: pytest.CaptureFixture[str]) -> None:
    change("attempt", "suggestion", lambda document: document.pop(key))
    assert run(["searches", "sync", "bowl-0"]) == 5
    assert f"(its 'suggestion of attempt 1' has no '{key}')" in capsys.readouterr().err


@pytest.mark.parametrize(
    "nulls",
    [
        {"values": None},
        {"values": {"accuracy": None}},
        {"cost": None},
        {"cost": {"seconds": None}},
        {"curve": None},
        {"curve": [[1, None]]},
        {"curve": [[1, {"objective": None}]]},
        {"state": None},
        {"reason": None},
        {"best_step": None},
        {"artifacts": {"weights": {"path": None, "sha256": "", "bytes": 1}}},
    ],
)
@pytest.mark.parametrize("command", ["report bowl-0", "searches sync bowl-0"])
def test_a_null_within_an_outcome_is_damage(
    nulls: dict[str, Any], command: str, change: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    change("attempt", "outcome", lambda document: document.update(nulls))
    assert run(command.split()) == 5
    said = capsys.readouterr().err
    assert "is damaged (the outcome of attempt 1 does not read" in said
    assert said.count("\n") == 1


def test_a_stored_object_within_a_dataclass_is_copied_as_any_dictionary_is() -> None:
    @dataclasses.dataclass
    class Holder:
        params: dict[str, object]

    assert dataclasses.asdict(Holder(Stored({"lr": 0.1, "more": {"deep": 1}}, "params", "ledger.db"))) == {
        "params": {"lr": 0.1, "more": {"deep": 1}}
    }
