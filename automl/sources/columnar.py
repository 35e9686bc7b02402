"""Parquet and Feather (Arrow IPC), a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc, parquet

from automl.errors import DataError
from automl.sources.table import Table, or_left_out


def open_parquet(path: Path) -> Table:
    """Read the names of a Parquet file's columns. Raises DataError for another file."""
    try:
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, "Parquet", error) from None

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        _require_cells(path, schema, wanted)
        try:
            with parquet.ParquetFile(path) as file:
                # Not `iter_batches`, which keeps all that it has yielded until the file is closed.
                for group in range(file.num_row_groups):
                    for batch in file.read_row_group(group, list(wanted)).to_batches(rows):
                        yield _plain(batch.select(list(wanted)))
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, "Parquet", error) from None

    return Table(str(path), tuple(schema.names), read)


def open_feather(path: Path) -> Table:
    """Read the names of a Feather file's columns. Raises DataError for another file."""
    try:
        with pa.memory_map(str(path)) as file:
            schema = ipc.open_file(file).schema
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, "Feather", error) from None

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        _require_cells(path, schema, wanted)
        try:
            with pa.memory_map(str(path)) as file:
                reader = ipc.open_file(file)
                for place in range(reader.num_record_batches):
                    yield _plain(reader.get_batch(place).select(list(wanted)))
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, "Feather", error) from None

    return Table(str(path), tuple(schema.names), read)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Cells of types that have few functions, in types that have all: durations become seconds."""
    columns = []
    for column in batch.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = pc.cast(column, kind.value_type)
        if pa.types.is_float16(kind):
            column = pc.cast(column, pa.float32())
        if pa.types.is_duration(kind):
            ticks = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
            column = pc.divide(pc.cast(pc.cast(column, pa.int64()), pa.float64()), ticks)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _require_cells(path: Path, schema: pa.Schema, wanted: Sequence[str]) -> None:
    """Raise DataError for a column whose cells are lists, records or bytes."""
    for name in wanted:
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise DataError(
                f"{path}: column '{name}' holds {kind}. Cells must be text, numbers, dates or truth values{or_left_out(name)}."
            )


def _broken(path: Path, form: str, error: Exception) -> DataError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: not a {form} table: {first[:300]}")
