"""JSON Lines: one object a line. Cells become text, so that a column may hold numbers in one row and words in the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from automl.errors import DataError
from automl.sources.packed import opener
from automl.sources.table import Table, or_left_out


def open_jsonlines(path: Path) -> Table:
    """Find the names in all lines, in order of first appearance: an object need not have all keys. Raises DataError."""
    names: dict[str, None] = {}
    for row in _rows(path):
        names.update(dict.fromkeys(row))
    if not names:
        raise DataError(f"{path}: the file is empty.")

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        waiting: list[dict[str, Any]] = []
        for row in _rows(path, wanted):
            waiting.append(row)
            if len(waiting) == rows:
                yield _batch(waiting, wanted)
                waiting = []
        yield _batch(waiting, wanted)

    return Table(str(path), tuple(names), read)


def _rows(path: Path, wanted: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Each line's object, in which what is wanted is checked."""
    try:
        with opener(path)() as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(line, f"{path}: line {number}", wanted)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None


def _row(line: bytes, place: str, wanted: Sequence[str]) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DataError(f"{place} is not UTF-8. Save the file as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not JSON ({error}). Each line must hold one object.") from None
    if not isinstance(row, dict):
        raise DataError(f'{place} must hold one object, such as {{"age": 30}}, but holds {type(row).__name__}.')
    for name in wanted:
        if isinstance(value := row.get(name), dict | list):
            raise DataError(
                f"{place}: '{name}' holds a {type(value).__name__}. Cells must be text, numbers or null{or_left_out(name)}."
            )
    return row


def _batch(rows: list[dict[str, Any]], wanted: Sequence[str]) -> pa.RecordBatch:
    columns = [pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in wanted]
    return pa.RecordBatch.from_arrays(columns, names=list(wanted))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
