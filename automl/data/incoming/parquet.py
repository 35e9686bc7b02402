"""Rows from a Parquet file, a batch at a time, through pyarrow where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.incoming.columns import match_columns, require_finite
from automl.data.schema import Schema
from automl.errors import ConfigError, DataError


def parquet_rows(path: Path, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    """Yield the rows of a file, its columns in the schema's order; nulls are NaN. Raises DataError with column and row."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigError(f"{path}: reading .parquet needs pyarrow.", hint="pip install pyarrow") from None
    try:
        with parquet.ParquetFile(path) as file:
            match_columns(str(path), file.schema_arrow.names, schema, tell)
            if file.metadata.num_rows == 0:
                raise DataError(f"{path}: the table has no rows.")
            first = 1
            for batch in file.iter_batches(rows_at_once(schema), columns=list(schema.columns)):
                table = {name: batch.column(name) for name in schema.columns}
                columns = [_numbers(table[name], path, name, first) for name in schema.columns]
                yield Chunk(np.column_stack(columns))
                first += batch.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a Parquet table: {_first_line(error)}") from None


def _numbers(column: Any, path: Path, name: str, first: int) -> np.ndarray:
    import pyarrow

    try:
        numbers = column.cast(pyarrow.float64(), safe=False)
    except pyarrow.ArrowException as error:
        raise DataError(
            f"{path}: column '{name}', rows {first} to {first + len(column) - 1}: {column.type} is not a number "
            f"({_first_line(error)})."
        ) from None
    values = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    require_finite(values, str(path), name, "row", first)
    return values


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
