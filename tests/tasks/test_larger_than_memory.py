"""A table that memory cannot hold is prepared from disk: to the same bytes, leaving nothing behind, or refused with what is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data import prepare
from automl.errors import ConfigError, DataError, StorageError
from automl.sources import memory, scratch
from automl.tasks import Choices, Stored, Task, load_task

ROWS = 300


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for what each row takes, too little for a table of them."""
    monkeypatch.setattr(memory, "memory_left", lambda: 270 * ROWS)


@pytest.fixture(scope="module", params=["csv", "parquet", "feather", "jsonl"])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbers with gaps, words, dates and texts; two rows of the target are missing."""
    chance = np.random.default_rng(0)
    n = chance.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "n": np.where(chance.random(ROWS) < 0.1, np.nan, n),
            "heavy": np.exp(3 * chance.normal(size=ROWS)),
            "word": chance.choice(["a", "b", "c", None], ROWS),
            "day": [f"2024-{1 + row % 12:02}-{1 + row % 28:02}" for row in range(ROWS)],
            "text": [f"word{row % 7} then word{row % 5} and {row}" for row in range(ROWS)],
            "y": n + chance.normal(size=ROWS),
        }
    )
    frame.loc[[3, 5], "y"] = np.nan
    path = tmp_path_factory.mktemp("table") / f"rows.{request.param}"
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        getattr(frame, f"to_{request.param}")(path)
    return path


def prepared_files(task: Task, folder: Path) -> dict[str, bytes]:
    whole = folder / prepare(task, seed=0, data_folder=folder).ref.key
    return {str(path.relative_to(whole)): path.read_bytes() for path in whole.rglob("*") if path.is_file()}


def test_what_is_prepared_from_disk_is_the_same_to_the_byte(
    table: Path, tmp_path: Path, home: Path, request: pytest.FixtureRequest
) -> None:
    held = load_task(str(table), Choices("y"))
    expected = prepared_files(held, tmp_path / "held")
    request.getfixturevalue("little_memory")
    task = load_task(str(table), Choices("y"))
    assert isinstance(held.read().features, dict)
    assert isinstance(task.read().features, Stored)
    assert prepared_files(task, tmp_path / "stored") == expected
    assert list(home.iterdir()) == []  # the files have no names


def test_a_test_part_of_its_own_comes_from_disk_too(
    table: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    test = pd.DataFrame(
        {"n": [0.5] * 12, "heavy": 1.5, "word": "a", "day": "2024-02-01", "text": "word1 then", "y": 0.5}
    )
    test.to_csv(tmp_path / "test.csv", index=False)
    choices = Choices("y", test=str(tmp_path / "test.csv"))
    expected = prepared_files(load_task(str(table), choices), tmp_path / "held")
    request.getfixturevalue("little_memory")
    assert prepared_files(load_task(str(table), choices), tmp_path / "stored") == expected


def test_more_rows_than_memory_can_sort_are_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_left", lambda: 10_000)
    with pytest.raises(
        DataError, match=r"rows\.\w+: about 0 MB of memory are needed, but 0 MB are available. Take a sample"
    ):
        load_task(str(table), Choices("y"))


@pytest.mark.usefixtures("little_memory")
def test_a_disk_without_room_is_an_error_and_no_crash() -> None:
    with pytest.raises(
        StorageError, match=r"disk full: the rows do not fit in memory, and .*home has \d+ MB for 35184372 MB"
    ):
        scratch.empty_array((1 << 45,), np.uint8)


def test_where_nothing_may_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(StorageError, match=r"Cannot write a temporary file in .*: Not a directory"):
        scratch.array_on_disk(np.zeros(3))


def test_an_array_is_in_memory_where_it_is_small(home: Path) -> None:
    assert not isinstance(scratch.empty_array((3, 4), np.float32), np.memmap)
    assert not home.exists()


@pytest.mark.parametrize(("text", "size"), [("500M", 500 << 20), ("1.5g", 3 << 29), ("2 ", 2), ("8GB", 8 << 30)])
def test_a_person_says_how_much_memory_may_be_taken(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_MEMORY", text)
    assert memory.memory_limit() == size
    assert memory.memory_left() <= size


@pytest.mark.parametrize("text", ["much", "-1G", "1X", "G"])
def test_a_size_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_MEMORY", text)
    with pytest.raises(ConfigError, match=r"AUTOML_MEMORY must be a size, but got .*500M, 8G"):
        memory.memory_left()
