"""New rows are matched by name, kept in order, read a chunk at a time, and refused with file, column and line."""

import dataclasses
import io
import os
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from automl.data import Schema, frame_rows, read_rows
from automl.data.incoming import chunk
from automl.encoding import Category, Grid, Number, Words
from automl.errors import DataError
from automl.sources import delimited, pictures

TABLE = Schema(
    task="toy",
    kind="classification",
    input_kind="table",
    target="y",
    encoders=(Number("age"), Number("income")),
    labels=("no", "yes"),
)
IMAGE = Schema(
    task="pixels",
    kind="classification",
    input_kind="image",
    target="y",
    encoders=(Grid(tuple(f"p{index}" for index in range(6)), (1, 2, 3), (0.0,), (1.0,)),),
    labels=("no", "yes"),
)


def _rows(part):
    """A chunk's rows as an array, columns in the schema's order."""
    features = part.features
    return features if isinstance(features, np.ndarray) else np.column_stack(list(features.values()))


def _read(path, schema, tell=lambda text: None):
    """All chunks as one array."""
    return np.concatenate([_rows(part) for part in read_rows(path, schema, tell)])


def _csv(folder, content: str | bytes):
    path = folder / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_are_matched_by_name_and_extra_ones_ignored(tmp_path):
    path = _csv(tmp_path, "\ufeffname,income, age\nAda,2.5,1\n\nBob,4,3\n")
    assert _read(path, TABLE).tolist() == [[1.0, 2.5], [3.0, 4.0]]


def test_new_rows_may_be_in_another_encoding(tmp_path):
    path = _csv(tmp_path, "age,income,größe\n1,2,ä\n".encode("latin-1"))
    with pytest.raises(DataError, match="use --encoding cp1252"):
        _read(path, TABLE)
    (part,) = read_rows(path, TABLE, print, encoding="latin-1")
    assert _rows(part).tolist() == [[1.0, 2.0]]


def test_columns_that_are_not_used_are_named_once(tmp_path, monkeypatch):
    monkeypatch.setattr(chunk, "_ROWS_AT_ONCE", 1)
    said = []
    _read(_csv(tmp_path, "age,name,income,y\n" + "1,a,2,no\n" * 3), TABLE, said.append)
    assert said == [f"{tmp_path}/rows.csv: 1 columns are not used by this model: name."]  # a target is expected


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
def test_chunks_hold_every_row_in_order_and_no_more_than_asked(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(chunk, "_ROWS_AT_ONCE", 2)
    table = np.arange(2.0 * rows).reshape(rows, 2)
    frame = pd.DataFrame(table, columns=["age", "income"])
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    np.save(tmp_path / "rows.npy", table)
    for suffix in ("csv", "parquet", "npy"):
        parts = [_rows(part) for part in read_rows(tmp_path / f"rows.{suffix}", TABLE, print)]
        assert max(map(len, parts)) <= 2
        assert np.concatenate(parts).tolist() == table.tolist()


def test_stdin_is_read_as_csv(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"income,age\n2,1\n")))
    assert _read(Path("-"), TABLE).tolist() == [[1.0, 2.0]]


def test_a_row_is_counted_without_blank_lines_and_quoted_breaks(tmp_path):
    with pytest.raises(DataError, match=r"column 'age', row 2: 'x'"):
        _read(_csv(tmp_path, 'name,age,income\n"a\nb",1,2\n\n\nc,x,2\n'), TABLE)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1000)
    with pytest.raises(DataError, match="a line is longer"):
        _read(_csv(tmp_path, "age,income\n" + "," * 5000), TABLE)


def test_parquet_columns_are_matched_by_name_and_nulls_are_missing(tmp_path):
    frame = pd.DataFrame({"income": [2, None], "name": ["a", "b"], "age": ["1", "3"]})
    frame.to_parquet(tmp_path / "rows.parquet")
    said = []
    found = _read(tmp_path / "rows.parquet", TABLE, said.append)
    assert np.array_equal(found, [[1.0, 2.0], [3.0, np.nan]], equal_nan=True)
    assert "not used by this model: name" in said[0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"age": [1.0], "incme": [2.0]}, "column 'income' not found. Columns: age, incme. Did you mean 'incme'?"),
        ({"age": ["x"], "income": [2.0]}, "column 'age', row 1: 'x' is not a finite number"),
        ({"age": [1.0, 2.0], "income": [2.0, np.inf]}, "column 'income', row 2: 'inf' is not a finite number"),
        ({"age": [], "income": []}, "no rows"),
    ],
)
def test_a_bad_parquet_table_is_refused_with_its_place(tmp_path, columns, words):
    pd.DataFrame(columns).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(DataError) as caught:
        _read(tmp_path / "rows.parquet", TABLE)
    assert words in str(caught.value)
    assert "rows.parquet" in str(caught.value)


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(DataError, match="not a Parquet table"):
        _read(tmp_path / "rows.parquet", TABLE)


def test_empty_cells_are_missing(tmp_path):
    assert np.isnan(_read(_csv(tmp_path, "age,income\n,NA\n"), TABLE)).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "column 'age' not found (and 1 more of the model's 2)"),
        ("Age,income\n1,2\n", "column 'age' not found. Columns: Age, income. Did you mean 'Age'?"),
        ("age,income,age\n1,2,3\n", "column 'age' occurs 2 times"),
        ("age,income\n1,2\n1,two\n", "column 'income', row 2: 'two' is not a finite number"),
        ("age,income\n1,1e400\n", "'1e400' is not a finite number"),
        ("age,income\n1,2\n1,2,3\n", "line 3 has 3 cells, but the header has 2"),
        ("age,income\n1\n", "line 2 has 1 cells"),
        ('age,income\n1,"2\n', "a quote in line 2 is never closed"),
        ("", "the file is empty"),
        ("age,income\n", "no rows below the header"),
        (b"age,income\n1,\xff\n", "not UTF-8 at byte 13"),
        ("age,income\n1,2\0\n", "line 2 holds a NUL"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(tmp_path, content, words):
    with pytest.raises(DataError) as caught:
        _read(_csv(tmp_path, content), TABLE)
    assert words in str(caught.value)
    assert "rows.csv" in str(caught.value)


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 1, 2, 3), (4, 6)])
def test_images_come_as_arrays_with_or_without_channel(tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.arange(24).reshape(shape))
    encoded = IMAGE.encode(_read(tmp_path / "rows.npy", IMAGE))
    assert encoded.shape == (4, 1, 2, 3)
    assert encoded.ravel().tolist() == list(range(24))


@pytest.mark.parametrize("shape", [(2, 3), (4, 3, 2), (4, 2, 3, 1), (0, 6)])
def test_images_of_another_shape_are_refused(tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.zeros(shape))
    with pytest.raises(DataError, match=r"must be \(rows, 6\) or"):
        _read(tmp_path / "rows.npy", IMAGE)


def test_an_archive_of_arrays_under_the_name_of_one_is_refused(tmp_path):
    with (tmp_path / "rows.npy").open("wb") as file:
        np.savez(file, a=np.zeros((2, 6)))
    with pytest.raises(DataError, match="not an array of numbers"):
        _read(tmp_path / "rows.npy", IMAGE)


def test_an_array_with_a_pickle_inside_is_refused(tmp_path):
    np.save(tmp_path / "rows.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="not an array of numbers"):
        _read(tmp_path / "rows.npy", IMAGE)


def test_an_infinite_pixel_and_a_missing_file_and_a_strange_suffix_are_refused(tmp_path):
    np.save(tmp_path / "rows.npy", np.full((2, 6), np.inf))
    with pytest.raises(DataError, match="row 1 holds an infinite"):
        _read(tmp_path / "rows.npy", IMAGE)
    with pytest.raises(DataError, match="no such file"):
        _read(tmp_path / "none.csv", TABLE)
    (tmp_path / "rows.xls").write_text("x")
    with pytest.raises(DataError, match=r"not from '\.xls'"):
        _read(tmp_path / "rows.xls", TABLE)


def _picture(path, mode="L", size=(3, 2), colour=255):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)
    return path


def _names(folder, tell=print, schema=IMAGE):
    return [name for part in read_rows(folder, schema, tell) for name in part.files]


def test_pictures_come_in_order_of_path_whatever_their_size_mode_and_format(tmp_path):
    _picture(tmp_path / "b.png")
    _picture(tmp_path / "a/deep.jpg", "CMYK", (30, 20), (0, 0, 0, 0))
    _picture(tmp_path / "c.bmp", "RGB", (1, 1), (255, 255, 255))
    _picture(tmp_path / "d.png", "RGBA", (3, 2), (255, 255, 255, 128))
    _picture(tmp_path / "e.png", "P", (3, 2), 0)
    Image.fromarray(np.full((2, 3), 65535, np.uint16)).save(tmp_path / "f.png")
    (tmp_path / ".DS_Store").write_text("x")
    (tmp_path / "notes.txt").write_text("x")
    assert _names(tmp_path) == ["a/deep.jpg", "b.png", "c.bmp", "d.png", "e.png", "f.png"]
    (part,) = read_rows(tmp_path, IMAGE, print)
    assert part.features.shape == (6, 1, 2, 3)
    assert part.features[[0, 1, 2, 3, 5]].min() >= 254
    assert part.features[4].max() == 0


def test_pictures_get_the_brightness_and_the_colours_of_the_training_rows(tmp_path):
    _picture(tmp_path / "a.png", "RGB", (3, 2), (255, 51, 0))
    colours = Grid(tuple(f"p{index}" for index in range(18)), (3, 2, 3), (0.0,) * 3, (1.0,) * 3)
    colour = dataclasses.replace(IMAGE, encoders=(colours,), white=16.0)
    (part,) = read_rows(tmp_path, colour, print)
    assert part.features[0, :, 1, 2].tolist() == [16.0, 3.2, 0.0]


def test_pictures_that_cannot_be_read_are_named_and_the_others_predicted_however_few(tmp_path):
    for index in range(5):
        _picture(tmp_path / f"{index:02}.png")
    (tmp_path / "00.png").write_bytes((tmp_path / "00.png").read_bytes()[:-30])
    os.mkfifo(tmp_path / "pipe.png")
    said = []
    assert _names(tmp_path, said.append) == [f"{index:02}.png" for index in range(1, 5)]
    assert "2 of 6 pictures cannot be read: 00.png" in said[0]
    assert "pipe.png (not a file)" in said[0]


def test_a_folder_of_which_no_picture_can_be_read_is_refused(tmp_path):
    for index in range(3):
        (tmp_path / f"{index}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"3 of 3 pictures cannot be read: 0\.png .*2\.png"):
        _names(tmp_path)


def test_texts_that_cannot_be_read_are_named_and_the_others_predicted_however_few(tmp_path):
    text = dataclasses.replace(TABLE, input_kind="text", encoders=(Words("text", ("a",), 4),))
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_bytes(b"\xff")
    said = []
    assert _names(tmp_path, said.append, text) == ["a.txt"]
    assert "1 of 2 texts cannot be read: b.txt" in said[0]
    (tmp_path / "a.txt").unlink()
    with pytest.raises(DataError, match=r"1 of 1 texts cannot be read: b\.txt"):
        _names(tmp_path, said.append, text)


def test_a_picture_that_would_fill_the_memory_is_refused_unread(tmp_path, monkeypatch):
    for index in range(20):
        _picture(tmp_path / f"{index:02}.png")
    bomb = bytearray(_picture(tmp_path / "00.png", size=(1, 1)).read_bytes())
    bomb[16:24] = (60000).to_bytes(4) * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4)
    (tmp_path / "00.png").write_bytes(bomb)
    said = []
    assert len(_names(tmp_path, said.append)) == 19
    assert "00.png" in said[0]
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 5)
    with pytest.raises(DataError, match="3x2 is more than 5 pixels"):
        _names(tmp_path)


def test_a_loop_of_links_is_not_walked(tmp_path):
    _picture(tmp_path / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert _names(tmp_path) == ["a.png"]


def test_a_folder_without_pictures_and_a_folder_for_a_table_are_refused(tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        _names(tmp_path)
    with pytest.raises(DataError, match="takes a table"):
        _names(tmp_path, schema=TABLE)


def test_a_frame_of_pixels_is_one_array_and_its_infinity_is_found():
    frame = pd.DataFrame(np.arange(12).reshape(2, 6), columns=[f"p{index}" for index in range(6)])
    assert frame_rows(frame[frame.columns[::-1]], IMAGE, print).tolist() == frame.to_numpy().tolist()
    with pytest.raises(DataError, match="column 'p5', row 2: 'inf' is not a finite number"):
        frame_rows(frame.replace(11, np.inf), IMAGE, print)


def test_thousands_of_columns_are_matched_at_once():
    many = Grid(tuple(f"p{index}" for index in range(20_000)), (1, 100, 200), (0.0,), (1.0,))
    schema = dataclasses.replace(IMAGE, encoders=(many,))
    began = time.monotonic()
    frame_rows(pd.DataFrame(np.zeros((1, 20_000)), columns=list(schema.columns)), schema, print)
    assert time.monotonic() - began < 2  # it was 15 s: each name was counted among all


def test_words_that_the_model_does_not_know_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(chunk, "_ROWS_AT_ONCE", 2)
    schema = Schema("t", "regression", "table", "y", (Category("town", ("Oslo", "Rome")), Category("paid", ("TRUE",))))
    said = []
    _read(_csv(tmp_path, "town,paid\nOslo,true\nrome,TRUE\nParis,\n,no\nBonn,True\n"), schema, said.append)
    assert said == [
        f"{tmp_path}/rows.csv: of 5 rows, words that the model does not know, as if missing: town (2), paid (1)."
    ]
