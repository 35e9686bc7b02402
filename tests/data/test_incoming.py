"""New rows are matched by name, kept in order, and refused with file, column and line."""

import numpy as np
import pytest

from automl.data import Schema, read_features
from automl.errors import DataError

TABLE = Schema(
    task="toy",
    kind="classification",
    input_kind="table",
    columns=("age", "income"),
    shape=(2,),
    target="y",
    means=(0.0, 0.0),
    scales=(1.0, 1.0),
    labels=("no", "yes"),
)
IMAGE = Schema(
    task="pixels",
    kind="classification",
    input_kind="image",
    columns=tuple(f"p{index}" for index in range(6)),
    shape=(1, 2, 3),
    target="y",
    means=(0.0,),
    scales=(1.0,),
    labels=("no", "yes"),
)


def _csv(folder, content: str | bytes):
    path = folder / "rows.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_columns_are_matched_by_name_and_extra_ones_ignored(tmp_path):
    path = _csv(tmp_path, "\ufeffname,income, age\nAda,2.5,1\n\nBob,4,3\n")
    assert read_features(path, TABLE).tolist() == [[1.0, 2.5], [3.0, 4.0]]


def test_empty_cells_are_missing(tmp_path):
    assert np.isnan(read_features(_csv(tmp_path, "age,income\n,NA\n"), TABLE)).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Age,income\n1,2\n", "column 'age' not found. Columns: Age, income. Did you mean 'Age'?"),
        ("age,income,age\n1,2,3\n", "column 'age' occurs 2 times"),
        ("age,income\n1,2\n1,two\n", "column 'income', line 3: 'two' is not a finite number"),
        ("age,income\n1,1e400\n", "'1e400' is not a finite number"),
        ("age,income\n1,2\n1,2,3\n", "line 3 has 3 cells, but the header has 2"),
        ("age,income\n1\n", "line 2 has 1 cells"),
        ('age,income\n1,"2\n', "not a CSV table"),
        ("", "the file is empty"),
        ("age,income\n", "no rows below the header"),
        (b"age,income\n1,\xff\n", "not UTF-8"),
        ("age,income\n1,2\0\n", "2\\\\x00"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(tmp_path, content, words):
    with pytest.raises(DataError) as caught:
        read_features(_csv(tmp_path, content), TABLE)
    assert words.replace("\\\\", "\\") in str(caught.value)
    assert "rows.csv" in str(caught.value)


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 1, 2, 3), (4, 6)])
def test_images_come_as_arrays_with_or_without_channel(tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.arange(24).reshape(shape))
    encoded = IMAGE.encode(read_features(tmp_path / "rows.npy", IMAGE))
    assert encoded.shape == (4, 1, 2, 3)
    assert encoded.ravel().tolist() == list(range(24))


@pytest.mark.parametrize("shape", [(2, 3), (4, 3, 2), (4, 2, 3, 1), (0, 6)])
def test_images_of_another_shape_are_refused(tmp_path, shape):
    np.save(tmp_path / "rows.npy", np.zeros(shape))
    with pytest.raises(DataError, match=r"must be \(rows, 6\) or"):
        read_features(tmp_path / "rows.npy", IMAGE)


def test_an_array_with_a_pickle_inside_is_refused(tmp_path):
    np.save(tmp_path / "rows.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="not an array of numbers"):
        read_features(tmp_path / "rows.npy", IMAGE)


def test_an_infinite_pixel_and_a_missing_file_and_a_strange_suffix_are_refused(tmp_path):
    np.save(tmp_path / "rows.npy", np.full((2, 6), np.inf))
    with pytest.raises(DataError, match="row 1 holds an infinite"):
        read_features(tmp_path / "rows.npy", IMAGE)
    with pytest.raises(DataError, match="no such file"):
        read_features(tmp_path / "none.csv", TABLE)
    (tmp_path / "rows.xls").write_text("x")
    with pytest.raises(DataError, match=r"\.csv or \.npy"):
        read_features(tmp_path / "rows.xls", TABLE)
