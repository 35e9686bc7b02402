"""A folder of texts is a task: each sub-folder a class, each `.txt` a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.data import prepare, read_rows
from automl.errors import DataError
from automl.sources import texts
from automl.tasks import Choices, Rows, load_task
from automl.tasks.own.taskfile import task_file


def _texts(folder: Path, each: int = 30) -> Path:
    for index in range(each):
        for name, word in (("ham", "dinner"), ("spam", "prize")):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{index}.txt").write_text(f"{word} number {index} is é")
    return folder


def _read(folder: Path) -> Rows:
    return load_task(str(folder)).read()


def test_each_sub_folder_of_texts_is_a_class_and_one_column(tmp_path: Path) -> None:
    task = load_task(str(_texts(tmp_path / "mail")))
    rows = task.read()
    assert (task.name, task.input_kind, rows.columns) == ("mail", "text", ("text",))
    assert isinstance(rows.features, dict)
    assert rows.features["text"][0] == "dinner number 0 is é"
    assert sorted(set(rows.target.tolist())) == ["ham", "spam"]


def test_texts_that_are_too_long_to_be_read_whole_are_warned_of(tmp_path: Path) -> None:
    folder = _texts(tmp_path / "long")
    for path in folder.glob("*/1*.txt"):
        path.write_text(path.read_text() + " and so on" * 1200)
    read = "The texts have 5 words in the median; the first 3,000 words are read."
    for name, warnings in (("long", (read,)), ("short", ())):
        task = load_task(str(folder if name == "long" else _texts(tmp_path / name)))
        assert prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings == warnings


def test_few_bad_texts_are_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _texts(tmp_path / "mail", each=50)
    monkeypatch.setattr(texts, "LARGEST", 100)
    (folder / "ham/0.txt").write_bytes("schön".encode("latin-1"))
    (folder / "ham/1.txt").write_text(" \n")
    (folder / "ham/2.txt").write_text("a\0b")
    (folder / "ham/3.txt").write_text("x" * 101)
    (note,) = _read(folder).notes
    assert note.startswith("4 of 100 texts cannot be read: ham/0.txt (not UTF-8 at byte 3), ham/1.txt (empty), ")
    assert "ham/2.txt (a NUL character), ham/3.txt (larger than" in note
    for index in range(4, 10):
        (folder / f"ham/{index}.txt").write_bytes(b"\xff")
    with pytest.raises(DataError, match="at least 10 of 100 texts cannot be read"):
        _read(folder)


def test_new_texts_come_as_a_folder_or_as_a_column(tmp_path: Path) -> None:
    folder = _texts(tmp_path / "mail")
    schema = prepare(load_task(str(folder)), seed=0, data_folder=tmp_path / "data").schema
    (part,) = read_rows(folder, schema, print)
    (tmp_path / "new.csv").write_text("text\nprize number 1\n")
    (row,) = read_rows(tmp_path / "new.csv", schema, print)
    assert (len(part), part.files[:2]) == (60, ("ham/0.txt", "ham/1.txt"))
    assert schema.encode(part.features).shape == (60, *schema.shape)
    assert schema.encode(row.features).shape == (1, *schema.shape)
    pets = tmp_path / "pets"
    pets.mkdir()
    (pets / "cat.png").write_bytes(b"no text")
    with pytest.raises(DataError, match="no texts"):
        list(read_rows(pets, schema, print))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_says_how_a_text_is_encoded(tmp_path: Path, encoding: str) -> None:
    folder = _texts(tmp_path / "mail")
    (folder / "ham/0.txt").write_text("schön", encoding=encoding)
    rows = _read(folder)
    assert (rows.features["text"][0], rows.notes) == ("schön", ())  # type: ignore[call-overload]


def test_texts_in_another_encoding_are_read_where_a_person_names_it(tmp_path: Path) -> None:
    folder = _texts(tmp_path / "mail")
    for path in folder.glob("*/*.txt"):
        path.write_text("schön " + path.stem, encoding="latin-1")
    task = load_task(str(folder), Choices(encoding="latin-1"))
    assert task.read().features["text"][0] == "schön 0"  # type: ignore[call-overload]
    assert "encoding: latin-1" in task_file(task, tmp_path, 60)
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    chunk = next(iter(read_rows(folder, schema, print, encoding="latin-1")))
    assert chunk.features["text"][0] == "schön 0"
    with pytest.raises(DataError, match="unknown encoding 'latin-99'"):
        load_task(str(folder), Choices(encoding="latin-99")).read()
