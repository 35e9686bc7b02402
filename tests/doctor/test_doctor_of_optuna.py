"""`automl doctor` on Optuna's copy of a search, and its repair from the ledger."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from examined import SLOTS, examine, flip, hashes

from automl.cli.main import run
from automl.ledger import SearchFolder, SearchLock


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_text("not a database"),
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: flip(path, 8192, 4096),
        lambda path: alter(path, "DROP TABLE trials"),
        lambda path: alter(path, "UPDATE alembic_version SET version_num = 'v3.0.0.a'"),
        lambda path: path.write_bytes(b""),
    ],
    ids=["text", "half", "flipped page", "a table dropped", "an older format", "empty"],
)
def test_a_broken_optuna_file_is_named_then_repaired_from_the_ledger_and_kept(
    harm: object, folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(folder.optuna)  # type: ignore[operator]
    broken = folder.optuna.read_bytes()
    code, found = examine(capsys)
    assert (code, found["bowl-0 optuna"]["state"]) == (5, "problem")
    assert "automl doctor --repair" in found["bowl-0 optuna"]["hint"]
    code, found = examine(capsys, "--repair")
    assert (code, found["bowl-0 optuna"]["found"]) == (0, "opens, 40 of 40 slots")
    (kept,) = folder.root.glob("optuna.db.broken-*")
    assert kept.read_bytes() == broken
    study = optuna.load_study(storage=f"sqlite:///{folder.optuna}", study_name="bowl-0-mlp")
    assert sorted(trial.user_attrs["slot"] for trial in study.trials) == list(range(SLOTS))


def alter(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute(statement)


def test_an_optuna_file_that_was_not_begun_yet_is_a_note_and_is_made_anew(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.optuna.unlink()
    with closing(sqlite3.connect(folder.optuna)) as database:  # as an early Ctrl-C leaves it
        database.execute("PRAGMA journal_mode=WAL")
    code, found = examine(capsys)
    assert (code, found["bowl-0 optuna"]["state"], found["bowl-0 optuna"]["found"]) == (0, "note", "not made yet")
    code, found = examine(capsys, "--repair")
    assert (code, found["bowl-0 optuna"]["found"]) == (0, "opens, 40 of 40 slots")


def test_a_sound_optuna_file_is_not_repaired(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(folder.root)
    examine(capsys, "--repair")
    assert hashes(folder.root) == before


def test_trials_that_somebody_added_are_not_counted(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("bowl-0-mlp", "somebodys"):
        study = optuna.create_study(
            storage=f"sqlite:///{folder.optuna}", study_name=name, direction="minimize", load_if_exists=True
        )
        study.add_trial(optuna.trial.create_trial(value=1.0))
        study.add_trial(optuna.trial.create_trial(value=1.0, user_attrs={"slot": "mine"}))
    code, found = examine(capsys)
    assert (code, found["bowl-0 optuna"]["state"], found["bowl-0 optuna"]["found"]) == (
        0,
        "ok",
        "opens, 40 of 40 slots",
    )


def test_nothing_is_moved_where_the_ledger_cannot_say_what_was_in_the_copy(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(folder.ledger, 4096, 64)
    folder.optuna.write_text("not a database")
    before = {path: digest for path, digest in hashes(folder.root).items() if not path.endswith("/lock")}
    code, found = examine(capsys, "--repair")
    assert code == 5
    assert "Restore the ledger" in found["bowl-0 optuna"]["hint"]
    assert {path: digest for path, digest in hashes(folder.root).items() if not path.endswith("/lock")} == before


def test_the_copy_of_a_running_search_is_not_touched(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.optuna.write_text("not a database")
    with SearchLock(folder.root):
        assert run(["doctor", "--repair"]) == 5
    assert "not repaired: search 'bowl-0' is held by pid" in capsys.readouterr().out
    assert folder.optuna.read_text() == "not a database"
