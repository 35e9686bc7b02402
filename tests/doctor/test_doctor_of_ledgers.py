"""`automl doctor` on searches: what is sound is called sound, what is broken is named, and nothing that was looked at changes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest
from examined import examine, flip, hashes

from automl.ledger import SearchFolder, SearchLock


def test_a_sound_search_is_called_sound_and_looking_changes_no_file(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hashes(folder.root)
    code, found = examine(capsys)
    assert code == 0
    assert found["bowl-0 ledger"]["found"] == "sound, format 1, 40 slots final"
    assert found["bowl-0 optuna"]["found"] == "opens, 40 of 40 slots"
    assert hashes(folder.root) == before


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: os.truncate(path, path.stat().st_size // 2),
        lambda path: os.truncate(path, 100),
        lambda path: os.truncate(path, 0),
        lambda path: flip(path, 0, 16),
        lambda path: flip(path, 4096, 64),
        lambda path: flip(path, path.stat().st_size // 2 // 4096 * 4096, 2048),
        lambda path: path.write_bytes(b"\0" * 8192),
        lambda path: path.unlink(),
    ],
    ids=["half", "a header", "nothing", "another magic", "flipped page", "flipped half page", "zeros", "gone"],
)
def test_a_harmed_ledger_is_a_named_problem_and_stays_as_it_is(
    harm: object, folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    harm(folder.ledger)  # type: ignore[operator]
    before = hashes(folder.root)
    code, found = examine(capsys)
    assert code == 5
    assert found["bowl-0 ledger"]["state"] == "problem"
    assert str(folder.ledger) in found["bowl-0 ledger"]["hint"]
    assert hashes(folder.root) == before


def test_a_flipped_byte_in_a_row_is_found_though_every_page_is_sound(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    where = folder.ledger.read_bytes().index(b'{"params"')
    flip(folder.ledger, where, 1)
    with closing(sqlite3.connect(folder.ledger)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    code, found = examine(capsys)
    assert code == 5
    assert "of table attempt has no readable 'suggestion'" in found["bowl-0 ledger"]["found"]


def test_a_ledger_of_a_later_version_is_a_problem(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(folder.ledger)) as database, database:
        database.execute("UPDATE search SET format = 2")
    code, found = examine(capsys)
    assert code == 5
    assert "of format 2, this version reads 1" in found["bowl-0 ledger"]["found"]


def test_who_holds_a_search_is_said_and_is_no_problem(folder: SearchFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with SearchLock(folder.root):
        code, found = examine(capsys)
        held = found["bowl-0 ledger"]["found"]
    assert code == 0
    assert f"held by pid {os.getpid()}" in held


def test_a_search_can_begin_right_after_it_was_looked_at(
    folder: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    examine(capsys)
    with SearchLock(folder.root):
        pass
