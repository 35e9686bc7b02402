"""New rows to predict, read from a file and brought into the schema's order. Encodes nothing and learns nothing."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from automl.data.schema import Schema
from automl.errors import DataError, did_you_mean

_MISSING = {"", "na", "nan", "null"}


def read_features(path: Path, schema: Schema) -> np.ndarray:
    """Return raw float64 features, (rows, features) from a CSV or (rows, *shape) from a `.npy`, in the file's order.

    CSV columns are matched by name whatever their order and extra ones are ignored; empty cells are NaN. A `.npy` holds
    (rows, features), (rows, *shape) or, for images of one channel, (rows, height, width). Raises DataError that names file,
    column and row.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file. Give a .csv or .npy file with rows to predict.")
    readers = {".csv": _read_csv, ".npy": _read_npy}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path}: rows to predict are read from .csv or .npy, but this is '{path.suffix}'.")
    return readers[path.suffix.lower()](path, schema)


def _read_csv(path: Path, schema: Schema) -> np.ndarray:
    header, lines = _parse(path)
    places = [_place(column, header, path) for column in schema.columns]
    columns = [_numbers([cells[place] for _, cells in lines], path, header[place], lines) for place in places]
    return np.column_stack(columns)


def _parse(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, and each row's line number and cells. Blank lines are skipped, ragged ones refused."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}). Save it as UTF-8.") from None
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV table, line {reader.line_num}: {error}.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None
    if len(lines) < 2:
        raise DataError(f"{path}: {'no rows below the header' if lines else 'the file is empty'}.")
    header = [name.strip() for name in lines[0][1]]
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}: line {number} has {len(cells)} cells, but the header has {len(header)}.")
    return header, lines[1:]


def _place(column: str, header: list[str], path: Path) -> int:
    if column not in header:
        raise DataError(
            f"{path}: column '{column}' not found. Columns: {', '.join(header)}.{did_you_mean(column, header)}"
        )
    if header.count(column) > 1:
        raise DataError(f"{path}: column '{column}' occurs {header.count(column)} times. Rename all but one.")
    return header.index(column)


def _numbers(cells: list[str], path: Path, column: str, lines: list[tuple[int, list[str]]]) -> np.ndarray:
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = math.nan if cell.strip().lower() in _MISSING else float(cell)
        except ValueError:
            values[row] = math.inf
        if math.isinf(values[row]):
            raise DataError(f"{path}: column '{column}', line {lines[row][0]}: {cell!r} is not a finite number.")
    return values


def _read_npy(path: Path, schema: Schema) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path}: not an array of numbers: {error}") from None
    if not isinstance(array, np.ndarray) or not np.issubdtype(array.dtype, np.number):
        raise DataError(f"{path}: not an array of numbers.")
    shapes = {schema.shape, (int(np.prod(schema.shape)),)}
    if schema.shape[0] == 1:
        shapes.add(schema.shape[1:])
    if array.ndim < 2 or array.shape[1:] not in shapes or len(array) == 0:
        wanted = " or ".join(str(("rows", *shape)).replace("'", "") for shape in sorted(shapes, key=len))
        raise DataError(f"{path}: must be {wanted}, but is {array.shape}.")
    bad = np.argwhere(np.isinf(array))
    if len(bad):
        raise DataError(f"{path}: row {bad[0][0] + 1} holds an infinite value.")
    return array.astype(np.float64)
