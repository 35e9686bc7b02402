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
            names = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, "Parquet", error) from None

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(rows, columns=list(wanted)):
                    yield batch.select(list(wanted))
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, "Parquet", error) from None

    return Table(str(path), names, read)


def open_feather(path: Path) -> Table:
    """Read the names of a Feather file's columns. Raises DataError for another file."""
    try:
        with pa.memory_map(str(path)) as file:
            names = tuple(ipc.open_file(file).schema.names)
    except (pa.ArrowException, OSError) as error:
        raise _broken(path, "Feather", error) from None

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        try:
            with pa.memory_map(str(path)) as file:
                reader = ipc.open_file(file)
                for place in range(reader.num_record_batches):
                    yield reader.get_batch(place).select(list(wanted))
        except (pa.ArrowException, OSError) as error:
            raise _broken(path, "Feather", error) from None

    return Table(str(path), names, read)


def _broken(path: Path, form: str, error: Exception) -> DataError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: not a {form} table: {first[:300]}")
