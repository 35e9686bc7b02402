"""Files as people have them are read whole, or refused with file and line; of each format a test, and of each way to break one."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import lzma
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from automl.errors import DataError
from automl.sources import cells_of, memory, open_table
from automl.sources.memory import memory_left, require_memory_for

ROWS = "".join(f"{row}.5,{'ab'[row % 2]},{row % 3}\n" for row in range(30))


def read(path: Path, encoding: str = "utf-8") -> pa.Table:
    return pa.Table.from_batches(list(open_table(path, encoding=encoding).batches()))


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "rows.csv: the file is empty."),
        (" \n\n", "rows.csv: the file is empty."),
        ("a,y\n", "rows.csv: no rows below the header."),
        ("a,a,y\n1,2,3\n", "rows.csv: column 'a' occurs 2 times. Rename all but one."),
        ("y ,w,y\n1,2,3\n", "columns 'y ' and 'y' have one name, since blanks around names are not told apart."),
        ("a,w,y\n" + ROWS + "1,2\n" + ROWS, "rows.csv: line 32 has 2 cells, but the header has 3."),
        ("a,w\n1,2,3\n" * 3, "rows.csv: line 2 has 3 cells, but the header has 2."),
        ("a,w,y\n" + ROWS + '1,"b,2\n' + ROWS, "rows.csv: a quote in line 32 is never closed."),
        ("a,w,y\n" + ROWS + '1,"b,2\n' + ROWS * 30_000, "rows.csv: a quote in line 32 is never closed."),
        ("a,w,y\n" + ROWS + '1,"b,2\n' + ROWS * 75_000, "rows.csv: a quote in line 32 is not closed within 16 MB."),
        ("a,w,y\n" + ROWS + "1,b\0,2\n" + ROWS, "rows.csv: line 32 holds a NUL character. Remove it."),
        ("a\0,w,y\n" + ROWS, "rows.csv: line 1 holds a NUL character. Remove it"),
        (b"\0" * 100_000, "rows.csv: line 1 holds a NUL character. Remove it"),
        (
            ("a,w,y\n" + ROWS + "1,é,2\n").encode("latin-1"),
            "not UTF-8 at byte 268. Save it as UTF-8, or use --encoding",
        ),
    ],
)
def test_a_broken_csv_is_refused_with_its_place(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content))
    assert words in str(caught.value)
    assert str(tmp_path / "rows.csv") in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rows.parquet", "a,y\n1,2\n", "rows.parquet: not a Parquet table:"),
        ("rows.feather", "a,y\n1,2\n", "rows.feather: not a Feather table:"),
        ("rows.jsonl", '{"a": 1}\n{"a": \n', "rows.jsonl: line 2 is not JSON"),
        ("rows.jsonl", '{"a": 1}\n[1]\n', "rows.jsonl: line 2 must hold one object"),
        ("rows.jsonl", '{"a": [1]}\n', "rows.jsonl: line 1: 'a' holds a list."),
        ("rows.jsonl", b'{"a": "\xff"}\n', "rows.jsonl: line 1 is not UTF-8."),
        ("rows.jsonl", '{"a": 1}\n{"a": 1, "b": 2, "a": 3}\n', "rows.jsonl: line 2 has 'a' twice in one object."),
        ("rows.jsonl", '{"o": {"a": 1, "a": 3}}\n', "rows.jsonl: line 1 has 'a' twice in one object."),
        ("rows.xlsx", "a", "not from '.xlsx'. Save the sheet as CSV."),
        (
            "rows.csv",
            b"PK\x03\x04" + bytes(40),
            "rows.csv: is a workbook (Excel, OpenDocument) or an archive, not CSV.",
        ),
        ("rows.csv", b"\xd0\xcf\x11\xe0" + bytes(40), "rows.csv: is an old Excel workbook, not CSV."),
        ("rows.csv", b"\x1f\x8b" + bytes(40), "rows.csv: is packed by gzip. Name it .csv.gz."),
        ("rows.csv", "\n<!DOCTYPE html>", "rows.csv: is a web page, not CSV."),
        ("rows.csv.gz", "a,y\n1,2\n", "rows.csv.gz: cannot be unpacked (Not a gzipped file"),
        ("rows.csv.gz", gzip.compress(b"a,y\n1,2\n" * 99, mtime=0)[:-12], "rows.csv.gz: cannot be unpacked ("),
        ("rows.csv.xz", "a,y\n1,2\n", "rows.csv.xz: cannot be unpacked ("),
        ("rows.csv.bz2", "a,y\n1,2\n", "rows.csv.bz2: cannot be"),
        ("rows.zip", "a,y\n1,2\n", "rows.zip: cannot be unpacked (File is not a zip file)"),
        ("rows.parquet.gz", "a", "not from '.parquet' in .gz."),
    ],
)
def test_a_broken_file_of_another_format_is_refused(
    tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content, name))
    assert words in str(caught.value)


def test_a_column_of_lists_is_refused_where_it_is_wanted(tmp_path: Path) -> None:
    pd.DataFrame({"n": [1, 2], "many": [[1], [2]], "raw": [b"\xff", b"\xfe"]}).to_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    for name in ("many", "raw"):
        with pytest.raises(
            DataError, match=rf"t.parquet: column '{name}' holds (list|binary).*--column '{name}=left out'"
        ):
            list(table.batches([name]))
    assert [batch.num_rows for batch in table.batches(["n"])] == [2]


def test_an_object_in_a_line_is_its_keys_and_a_list_of_words_these_words(tmp_path: Path) -> None:
    lines = [
        '{"n": 1, "who": null, "tags": ["a", "b"]}',
        '{"n": 2, "who": {"age": 3, "at": {"city": "Rome"}}, "tags": []}',
    ]
    found = read(written(tmp_path, "\n".join(lines) + "\n", "rows.jsonl"))
    assert found.to_pydict() == {
        "n": ["1", "2"],
        "tags": ["a b", None],
        "who.age": [None, "3"],
        "who.at.city": [None, "Rome"],
    }


def test_what_is_no_cell_in_a_line_is_refused_where_it_is_wanted_all_of_it_at_once(tmp_path: Path) -> None:
    table = open_table(written(tmp_path, '{"n": 1, "who": [1]}\n{"n": 2, "it": {"a": [{}]}}\n', "rows.jsonl"))
    with pytest.raises(DataError, match=r"line 1: 'who' holds a list; line 2: 'it.a' holds a list") as told:
        list(table.batches())
    assert "--column 'who=left out' --column 'it.a=left out'" in str(told.value)
    assert [batch.num_rows for batch in table.batches(["n"])] == [2]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path, name: str) -> None:
    begin = b'{"a": 1}\n{"a": "'
    with gzip.open(tmp_path / name, "wb", 1) if name.endswith(".gz") else (tmp_path / name).open("wb") as file:
        file.write(begin)
        for _ in range(20):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="line 2 is longer than 16 MB"):
            read(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 120e6
    finally:
        tracemalloc.stop()


def test_few_long_lines_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    line = '{"a": "' + "x" * (1 << 22) + '"}\n'
    table = open_table(written(tmp_path, line * 9, "rows.jsonl"))
    assert [batch.num_rows for batch in table.batches()] == [4, 4, 1]


def test_a_name_that_an_object_has_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1 has 'a.b' twice"):
        open_table(written(tmp_path, '{"a.b": 1, "a": {"b": 2}}\n', "rows.jsonl"))


def test_typed_cells_are_spelled_as_in_a_csv_file(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "yes": [True, None, False],
            "day": pd.to_datetime(["2026-01-01", None, "2026-02-01"]),
            "moment": pd.to_datetime(["2026-01-01 10:00", None, "2026-02-01 00:00"]),
            "word": pd.Categorical(["a", None, "b"]),
            "whole": [1.0, None, 3.0],
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert {name: cells_of(table[name], as_numbers=False).tolist() for name in table.column_names} == {
        "yes": ["True", None, "False"],
        "day": ["2026-01-01", None, "2026-02-01"],
        "moment": ["2026-01-01 10:00:00", None, "2026-02-01 00:00:00"],
        "word": ["a", None, "b"],
        "whole": ["1", None, "3"],
    }


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    written(tmp_path, ROWS, "churn.csv")
    with pytest.raises(DataError, match=r"no such file. Did you mean 'churn.csv'\?"):
        read(tmp_path / "chrun.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "cp1252"])
def test_an_encoding_that_is_named_is_read(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "a,wörd,y\n1,é,2\n".encode(encoding))
    found = read(path, "utf-8" if encoding == "utf-8-sig" else encoding)  # a mark at the beginning is no part of a name
    assert found.to_pydict() == {"a": ["1"], "wörd": ["é"], "y": ["2"]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_names_the_encoding(tmp_path: Path, encoding: str) -> None:
    assert read(written(tmp_path, "a,wörd\n1,é\n".encode(encoding))).to_pydict() == {"a": ["1"], "wörd": ["é"]}


@pytest.mark.parametrize("encoding", ["utf-99", "base64", "rot13", ""])
def test_an_unknown_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(DataError, match="unknown encoding"):
        read(written(tmp_path, "a,y\n1,2\n"), encoding)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, mark: str) -> None:
    assert read(written(tmp_path, f"a{mark}b{mark}y\n1{mark}2{mark}3\n")).to_pydict() == {
        "a": ["1"],
        "b": ["2"],
        "y": ["3"],
    }


def test_all_formats_hold_the_same_cells(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1.5, None, 3.0], "i": [1, 2, 3], "w": ["a", None, "c d"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for suffix in ("csv", "tsv", "parquet", "feather", "jsonl"):
        table = read(tmp_path / f"t.{suffix}")
        assert table.column_names == ["n", "i", "w"]
        for name in ("n", "i"):
            found = cells_of(table[name], as_numbers=True)
            assert np.array_equal(found, frame[name].to_numpy(dtype=float), equal_nan=True)
        assert cells_of(table["i"], as_numbers=False).tolist() == ["1", "2", "3"]
        assert cells_of(table["w"], as_numbers=False).tolist() == ["a", None, "c d"]


def test_a_file_of_10_gb_is_refused_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.csv"
    path.touch()
    with open(path, "r+b") as file:
        file.truncate(10 << 30)
    monkeypatch.setattr(memory, "memory_left", lambda: 8 << 30)
    with pytest.raises(DataError) as caught:
        require_memory_for(path)
    assert "huge.csv, 10.0 GB: about 200.0 GB of memory are needed, but 8.0 GB are available" in str(caught.value)


def test_memory_is_what_the_container_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    unlimited = memory_left()
    written(tmp_path, "300", "memory.max")
    written(tmp_path, "100", "memory.current")
    assert memory_left() == 200 < unlimited
    written(tmp_path, "max", "memory.max")
    assert memory_left() > 200


def packed(folder: Path, suffix: str, *names: str) -> Path:
    content, path = b"a,y\n1,x\n2,\n", folder / f"rows.csv{suffix}"
    if suffix == ".zip":
        path = folder / "rows.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names or ("inner/rows.csv", "__MACOSX/._rows.csv"):
                archive.writestr(name, content)
        return path
    path.write_bytes({".gz": gzip, ".bz2": bz2, ".xz": lzma}[suffix].compress(content))
    return path


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_packed_text_is_read_like_the_file_in_it(tmp_path: Path, suffix: str) -> None:
    table = read(packed(tmp_path, suffix))
    assert table.to_pydict() == {"a": ["1", "2"], "y": ["x", None]}


def test_packed_json_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n', mtime=0))
    assert read(tmp_path / "rows.jsonl.gz").to_pydict() == {"a": ["1", "2"]}


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold one table, but holds 2 files"):
        read(packed(tmp_path, ".zip", "a.csv", "b.csv"))


def test_a_line_of_packed_text_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,y\n1,2\n3\n"))
    with pytest.raises(DataError, match=r"rows.csv.gz: line 3 has 1 cells, but the header has 2."):
        read(tmp_path / "rows.csv.gz")


def test_what_unpacks_to_more_than_memory_holds_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,y\n" + b"1,2\n" * 2_000_000))
    monkeypatch.setattr(memory, "memory_left", lambda: 40 << 20)
    with pytest.raises(DataError, match="of memory are needed, but 40 MB are available"):
        memory.require_memory_for(tmp_path / "rows.csv.gz")


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_what_unpacks_to_a_hundred_times_its_size_is_never_held_whole(tmp_path: Path, suffix: str) -> None:
    """Training looks at the unpacked size before; a prediction reads on and on, whatever it is."""
    rows = 1 << 20
    content = b"a,y\n" + (b"1," + b"x" * 61 + b"\n") * rows
    path = tmp_path / ("rows.zip" if suffix == ".zip" else f"rows.csv{suffix}")
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("rows.csv", content)
    else:
        path.write_bytes(gzip.compress(content, 1))
    assert path.stat().st_size < len(content) / 100
    most, found = 0, 0
    for batch in open_table(path).batches():
        found += batch.num_rows
        most = max(most, batch.nbytes)
    assert found == rows
    assert most < len(content) / 2


def test_an_archive_in_an_archive_is_not_opened_and_no_name_leads_out(tmp_path: Path) -> None:
    path = tmp_path / "in" / "rows.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.zip", b"PK")
    with pytest.raises(DataError, match=r"not from '\.zip'"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.csv", "a,y\n1,2\n")
    assert read(path).num_rows == 1
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["in", "rows.zip"]


@pytest.mark.parametrize(
    "content", ["sep=;\na;y\n1;2,5\n3;4\n", "\ufeffsep=;\r\na;y\r\n1;2,5\r\n3;4\r\n", "a;y\r1;2,5\r3;4\r"]
)
def test_a_spreadsheets_first_line_and_old_line_ends_are_read(tmp_path: Path, content: str) -> None:
    assert read(written(tmp_path, content, "rows.csv")).to_pydict() == {"a": ["1", "3"], "y": ["2,5", "4"]}


def test_a_short_row_below_a_spreadsheets_first_line_is_named_by_its_own_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4 has 1 cells, but the header has 2"):
        read(written(tmp_path, "sep=;\na;y\n1;2\n3\n", "rows.csv"))


def test_times_durations_and_short_floats_are_read(tmp_path: Path) -> None:
    columns = {
        "time": pa.array([dt.time(10, 30), dt.time(11, 45)]),
        "took": pa.array([dt.timedelta(seconds=90), None]),
        "half": pa.array(np.array([1.5, 2.5], dtype=np.float16)),
        "words": pa.array(["1", "2"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert cells_of(table["time"], as_numbers=False).tolist() == ["10:30:00", "11:45:00"]
    assert cells_of(table["took"], as_numbers=True)[0] == 90.0
    for name in ("half", "words"):
        assert cells_of(table[name], as_numbers=True).dtype == np.float64


def test_a_cell_may_hold_a_long_text_of_many_lines(tmp_path: Path) -> None:
    text = "a line of a text\n" * 20_000
    frame = read(written(tmp_path, "a,w,y\n" + f'1,"{text}",2\n' * 3))
    assert frame["w"].to_pylist() == [text] * 3
