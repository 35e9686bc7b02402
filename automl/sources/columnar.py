"""Parquet and Feather (Arrow IPC), a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc, parquet

from automl.errors import DataError
from automl.sources.table import Table


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
                for batch in file.iter_batches(rows, columns=list(wanted)):
                    yield batch.select(list(wanted))
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
                    yield reader.get_batch(place).select(list(wanted))
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, "Feather", error) from None

    return Table(str(path), tuple(schema.names), read)


def _require_cells(path: Path, schema: pa.Schema, wanted: Sequence[str]) -> None:
    """Raise DataError for a column whose cells are lists, records or bytes."""
    for name in wanted:
        kind = schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            raise DataError(
                f"{path}: column '{name}' holds {kind}. Cells must be text, numbers, dates or truth values."
            )


def _broken(path: Path, form: str, error: Exception) -> DataError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: not a {form} table: {first[:300]}")
