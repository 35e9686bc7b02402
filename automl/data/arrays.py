"""Prepared arrays as a worker sees them: memory-mapped, found by content, the test part only where it was granted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.data.schema import Schema
from automl.encoding import Raw
from automl.errors import DataError, StorageError
from automl.messages import DataRef


@dataclass(frozen=True, slots=True)
class Arrays:
    """One part's rows; all processes that map it share its memory."""

    inputs: np.ndarray
    """Read-only float32 (rows, *shape), encoded."""
    target: np.ndarray
    """Read-only (rows,): int64 class indices, or standardised float32; of a forecast (rows, horizon), NaN where one is missing."""
    units: np.ndarray | None = None
    """Of a forecast read-only (rows, horizon + 1): the base of each step, and the scale."""
    spans: np.ndarray | None = None
    """Of a forecast read-only (rows, 3): `Rows.moment`, by which windows overlap in time."""


def load_part(data_folder: Path, ref: DataRef, part: str) -> Arrays:
    """Map `train`, `validation` or `test`. Raises DataError for a part that `ref` does not grant."""
    if part not in ref.parts:
        raise DataError(f"This assignment may read {', '.join(ref.parts)}, but not the {part} part: it is sealed.")
    folder = data_folder / ref.key / part
    units, spans = (_map(folder / name) if (folder / name).exists() else None for name in ("units.npy", "spans.npy"))
    return Arrays(_map(folder / "inputs.npy"), _map(folder / "target.npy"), units, spans)


def load_folds(data_folder: Path, ref: DataRef) -> np.ndarray:
    """Map the fold of each training row, then of each validation row."""
    return _map(data_folder / ref.key / "folds.npy")


def load_raw_test(data_folder: Path, ref: DataRef) -> Raw:
    """The test rows as the task gave them, for a model with preprocessing of its own."""
    load_part(data_folder, ref, "test")
    path = data_folder / ref.key / "test" / "raw.feather"
    if not path.exists():
        return _map(path.with_suffix(".npy"))
    from pyarrow import ArrowException, feather

    try:
        table = feather.read_table(path, memory_map=False)
    except (OSError, ArrowException) as error:
        raise _missing(path, error) from None
    return {name: np.array(table[name].to_numpy()) for name in table.column_names}


def load_schema(data_folder: Path, ref: DataRef) -> Schema:
    """Read the preprocessing that the arrays were made with."""
    path = data_folder / ref.key / "schema.json"
    try:
        return Schema.from_json(path.read_bytes())
    except OSError as error:
        raise _missing(path, error) from None


def _map(path: Path) -> np.ndarray:
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _missing(path, error) from None
    return array


def _missing(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"Prepared data cannot be read: {path} ({error}).", hint="Run the same command again to prepare it."
    )
