"""JSON Lines: one object a line. Cells become text, so that a column may hold numbers in one row and words in the next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from automl.errors import DataError
from automl.sources.packed import LONGEST_LINE, opener
from automl.sources.table import Table, or_left_out

_MOST_LISTED = 5
_BLOCK = 1 << 24
"""Bytes of lines that are held at once: rows may be few and long."""


def open_jsonlines(path: Path) -> Table:
    """Find the names in all lines, in order of first appearance: an object need not have all keys. Raises DataError.

    An object in an object is its keys, `user.age`; a list of words is these words, divided by spaces. A name that holds null wherever it
    holds no object is no column.
    """
    names: dict[str, bool] = {}
    odd: dict[str, str] = {}
    objects: set[str] = set()
    for number, row, _ in _rows(path):
        for name, value in row.items():
            names[name] = names.get(name, False) or value is not None
            if isinstance(value, dict | list):
                odd.setdefault(name, f"line {number}: '{name}' holds a {type(value).__name__}")
            if "." in name:
                objects.update(name[:place] for place, mark in enumerate(name) if mark == ".")
    names = {name: is_held for name, is_held in names.items() if is_held or name not in objects}
    if not names:
        raise DataError(f"{path}: the file is empty.")

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        _require_cells(path, [name for name in wanted if name in odd], odd)
        waiting: list[dict[str, Any]] = []
        held = 0
        for _, row, size in _rows(path):
            waiting.append(row)
            held += size
            if len(waiting) == rows or held >= _BLOCK:
                yield _batch(waiting, wanted)
                waiting, held = [], 0
        yield _batch(waiting, wanted)

    return Table(str(path), tuple(names), read)


def _require_cells(path: Path, names: Sequence[str], odd: Mapping[str, str]) -> None:
    """Raise DataError that tells of all columns that cannot be read."""
    if names:
        listed = "; ".join(odd[name] for name in names[:_MOST_LISTED]) + ("; …" if len(names) > _MOST_LISTED else "")
        raise DataError(f"{path}: {listed}. Cells must be text, numbers, null or lists of words{or_left_out(*names)}.")


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Each line's number, its object without objects in it, and its bytes."""
    try:
        with opener(path)() as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                if len(line) == LONGEST_LINE:
                    raise DataError(
                        f"{path}: line {number} is longer than {LONGEST_LINE >> 20} MB. Is this JSON Lines?"
                    )
                if line.strip():
                    yield number, _row(line, f"{path}: line {number}"), len(line)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from None


class _TwiceError(ValueError):
    """A name that an object has twice: which of the two was meant?"""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found


def _row(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_unique)
        if isinstance(row, dict):
            return _flat(row, place)
    except UnicodeDecodeError:
        raise DataError(f"{place} is not UTF-8. Save the file as UTF-8.") from None
    except _TwiceError as name:
        raise DataError(f"{place} has '{name}' twice in one object. Remove one.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} is not JSON ({error}). Each line must hold one object.") from None
    raise DataError(f'{place} must hold one object, such as {{"age": 30}}, but holds {type(row).__name__}.')


def _flat(row: dict[str, Any], place: str, before: str = "") -> dict[str, Any]:
    """Cells by their names; what is no cell stays as it is."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        name = before + key
        inside = _flat(value, place, f"{name}.") if isinstance(value, dict) else {name: _cell(value)}
        if twice := found.keys() & inside.keys():
            raise DataError(f"{place} has '{min(twice)}' twice: as a name, and of an object in it. Rename one.")
        found |= inside
    return found


def _cell(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return " ".join(value) or None
    return value


def _batch(rows: list[dict[str, Any]], wanted: Sequence[str]) -> pa.RecordBatch:
    columns = [pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in wanted]
    return pa.RecordBatch.from_arrays(columns, names=list(wanted))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
