"""Looking at a ledger without its lock changes nothing, and works beside whoever writes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import stubs

from automl.errors import ConfigError, StorageError
from automl.ledger import Ledger, SearchFolder, SearchLock, begun, open_to_read


@pytest.fixture
def folder(tmp_path: Path) -> SearchFolder:
    ledger, folder = stubs.new_search(tmp_path)
    ledger.close()
    return folder


def files(folder: SearchFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.root.iterdir() if path.is_file()}


def test_reading_changes_nothing_and_leaves_nothing_beside_the_file(folder: SearchFolder) -> None:
    with closing(sqlite3.connect(folder.ledger)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    before = files(folder)
    with closing(open_to_read(folder)) as ledger:
        assert begun(ledger, "bowl-0").name == "bowl-0"
        assert ledger.attempts() == []
    assert files(folder) == before


def test_it_reads_a_file_that_may_not_be_written(folder: SearchFolder) -> None:
    folder.ledger.chmod(0o400)
    with closing(open_to_read(folder)) as ledger:
        assert ledger.header() is not None


def test_it_reads_beside_the_process_that_holds_the_search(folder: SearchFolder) -> None:
    with SearchLock(folder.root), closing(Ledger.open(folder.ledger)) as writer:
        writer.reconfigure({"seed": 7})
        with closing(open_to_read(folder)) as ledger:
            assert begun(ledger, "bowl-0").config == {"seed": 7}


def test_it_cannot_write(folder: SearchFolder) -> None:
    with closing(open_to_read(folder)) as ledger, pytest.raises(StorageError, match="readonly"):
        ledger.reconfigure({})


@pytest.mark.parametrize("has_tables", [False, True])
def test_a_search_that_was_never_begun_says_how_to_begin_it(tmp_path: Path, has_tables: bool) -> None:
    folder = SearchFolder(tmp_path / "bowl-0")
    folder.create()
    if has_tables:
        Ledger.open(folder.ledger).close()
    else:
        folder.ledger.touch()
    with closing(open_to_read(folder)) as ledger, pytest.raises(ConfigError, match="never begun") as raised:
        begun(ledger, "bowl-0")
    assert raised.value.hint == "Run its search command again, or delete it: automl searches delete bowl-0"


def test_a_row_that_does_not_read_is_damage(folder: SearchFolder) -> None:
    with closing(sqlite3.connect(folder.ledger)) as database, database:
        database.execute("UPDATE search SET task = '{'")
    with closing(open_to_read(folder)) as ledger, pytest.raises(StorageError, match="is damaged"):
        ledger.header()
