"""A table in a file, whatever its format: names, then batches of rows. Reads nothing that is not asked for."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl.errors import DataError, did_you_mean

STDIN = "-"
Read = Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]
_LISTED = 12


@dataclass(frozen=True)
class Table:
    """An open table."""

    source: str
    """What errors call it."""
    names: tuple[str, ...]
    read: Read
    """`read(names, rows)` yields batches of about so many rows with these columns, in this order. Raises DataError."""

    def batches(self, names: Sequence[str] = (), rows: int = 1 << 16) -> Iterator[pa.RecordBatch]:
        """Yield all rows; without `names` all columns. Raises DataError for a table without rows."""
        found = 0
        for batch in self.read(tuple(names) or self.names, rows):
            found += batch.num_rows
            if batch.num_rows:
                yield batch
        if not found:
            raise DataError(f"{self.source}: no rows below the header.")


def open_table(path: Path, *, encoding: str = "utf-8") -> Table:
    """Open a `.csv`, `.tsv`, `.parquet`, `.jsonl` or `.feather`, or CSV on stdin (`-`); its columns are checked, no row is read.

    Text may be packed: `.csv.gz`, `.jsonl.xz`, a `.zip` with one file.

    Raises DataError for a file that is none of these, is empty, or names a column twice.
    """
    from automl.sources import columnar, delimited, jsonlines, packed

    if str(path) == STDIN:
        return checked(delimited.open_csv(sys.stdin.buffer, "stdin", encoding=encoding))
    if not path.is_file():
        raise DataError(f"{path}: no such file.{did_you_mean(path.name, _beside(path))}")
    inner = packed.inner_name(path) if path.suffix.lower() in packed.SUFFIXES else path.name
    match Path(inner).suffix.lower():
        case ".csv" | ".tsv" | ".tab" | ".txt":
            return checked(delimited.open_csv(path, str(path), encoding=encoding))
        case ".parquet" | ".pq" if inner == path.name:
            return checked(columnar.open_parquet(path))
        case ".feather" | ".arrow" | ".ipc" if inner == path.name:
            return checked(columnar.open_feather(path))
        case ".jsonl" | ".ndjson" | ".json":
            return checked(jsonlines.open_jsonlines(path))
    hint = " Save the sheet as CSV." if Path(inner).suffix.lower() in (".xlsx", ".xls", ".ods", ".xlsm") else ""
    packing = "" if inner == path.name else f" in {path.suffix}"
    raise DataError(
        f"{path}: tables are read from .csv, .tsv, .parquet, .jsonl and .feather (text also from .gz, .bz2, .xz and .zip), "
        f"not from '{Path(inner).suffix}'{packing}.{hint}"
    )


def checked(table: Table) -> Table:
    """Return the table. Raises DataError where two columns share a name."""
    for name, count in Counter(table.names).items():
        if count > 1:
            raise DataError(f"{table.source}: column '{name}' occurs {count} times. Rename all but one.")
    return table


def or_left_out(*names: str) -> str:
    """What a search can do with columns whose cells cannot be read."""
    flags = " ".join(f"--column {shlex.quote(f'{name}=left out')}" for name in names)
    return f"; a search leaves the column{'s' * (len(names) > 1)} out by {flags}"


def cells_of(column: pa.Array | pa.ChunkedArray, *, as_numbers: bool, spelling: str = "") -> np.ndarray:
    """A column's cells: float64 with NaN where missing if that is wanted and holds for all, else objects (text or None).

    Where numbers have a `spelling` of their own, text stays text: 1.234 in one batch must not be another number than in the next.
    """
    kind = column.type
    if as_numbers and not (spelling and _is_text(kind)):
        if _is_text(kind):
            column = pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, pc.utf8_trim_whitespace(column))
        try:
            values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            if not np.isinf(values).any():
                return np.array(values, dtype=np.float64)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # a cell that is no number, or none that is finite: who reads it on says which, as it is spelled
    return np.array(as_text(column).to_numpy(zero_copy_only=False), dtype=object)


def plain_numbers(column: pa.ChunkedArray) -> np.ndarray | None:
    """Return a column's cells (rows,), NaN where missing, if they surely are measured numbers; None if a closer look is needed.

    Surely: all are finite, some differ, some have a fraction. That is told without a text for each cell, which takes most of the time
    of large tables.
    """
    kind = column.type
    if _is_text(kind) and not pa.types.is_dictionary(kind):
        text = pc.utf8_trim_whitespace(column)
        try:
            column = pc.cast(pc.if_else(pc.equal(text, ""), None, text), pa.float64())
        except pa.ArrowInvalid:
            return None
    elif not pa.types.is_float64(kind):
        return None
    values = np.array(column.to_numpy(), dtype=np.float64)
    known = values[~np.isnan(values)]
    is_plain = len(known) and np.isfinite(known).all() and np.ptp(known) > 0 and (np.mod(known, 1) != 0).any()
    return values if is_plain else None


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column as text, null where a cell is missing or empty; a whole number is spelled without a fraction."""
    kind = column.type
    if pa.types.is_floating(kind):
        whole = pc.all(pc.and_(pc.is_finite(column), pc.equal(pc.floor(column), column))).as_py()
        column = pc.cast(pc.if_else(pc.is_nan(column), None, column), pa.int64() if whole else kind, safe=False)
    if pa.types.is_dictionary(kind):
        return as_text(pc.cast(column, kind.value_type))
    if pa.types.is_boolean(kind):  # as Python and pandas spell it, which is what a CSV file holds
        return pc.if_else(column, pa.scalar("True"), pa.scalar("False"))
    text = column if pa.types.is_string(column.type) else pc.cast(column, pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        text = _shortest(text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _shortest(moments: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Moments without the fraction, and without the time of day, that none of them has: as a text file spells them."""
    for end in (r"\.0+$", r" 00:00:00$"):
        if pc.all(pc.match_substring_regex(moments, end)).as_py():
            moments = pc.replace_substring_regex(moments, end, "")
    return moments


def listed(names: Iterable[str]) -> str:
    """The first names, and how many there are."""
    names = list(names)
    return ", ".join(names[:_LISTED]) + (f", … ({len(names)} in all)" if len(names) > _LISTED else "")


def _beside(path: Path) -> list[str]:
    try:
        return [each.name for each in path.parent.iterdir()]
    except OSError:
        return []
