"""Prepared arrays as a worker sees them: memory-mapped, found by content, the test part only where it was granted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from automl.data.schema import Schema
from automl.encoding import Raw
from automl.errors import DataError, StorageError
from automl.messages import DataRef
from automl.tasks import Stored

TEST_INPUTS = "test inputs"
"""The test part without its answers, as an assignment is granted it."""
KNOWN = "known"
"""All but the test part: training rows, then validation rows, in one file, so that a refit maps them as they are."""

_READ_AT_ONCE = 1 << 27
"""Bytes of test rows as they came that fit into memory; of more a column is read whenever it is asked for."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """One part's rows; all processes that map it share its memory."""

    inputs: np.ndarray
    """Float32 (rows, *shape), encoded."""
    target: np.ndarray
    """(rows,): int64 class indices, or standardised float32; of a forecast (rows, horizon), NaN where one is missing."""
    units: np.ndarray | None = None
    """Of a forecast (rows, horizon + 1): the base of each step, and the scale."""
    clusters: np.ndarray | None = None
    """Of rows that are not independent of each other: (rows,) a number for the group of each, or of a forecast (rows, 3) `Rows.moment`."""

    def rows(self, which: slice) -> Arrays:
        """Some of the rows, mapped as all are."""
        units, clusters = (None if one is None else one[which] for one in (self.units, self.clusters))
        return Arrays(self.inputs[which], self.target[which], units, clusters)


def load_part(data_folder: Path, ref: DataRef, part: str) -> Arrays:
    """Map `train`, `validation`, both as `known`, or `test`. Raises DataError for a part that `ref` does not grant.

    Where `ref` limits the rows that are learned from, `train` and `known` are the first so many: they lie in no order.
    """
    if not {"train", "validation"} <= set(ref.parts) if part == KNOWN else part not in ref.parts:
        raise _sealed(ref, part)
    folder = data_folder / ref.key / (part if part == "test" else KNOWN)
    units, clusters = (
        _map(folder / name) if (folder / name).exists() else None for name in ("units.npy", "clusters.npy")
    )
    whole = Arrays(_map(folder / "inputs.npy"), _map(folder / "target.npy"), units, clusters)
    if part == "test":
        return whole
    border = int(_map(folder / "border.npy"))
    if part == "validation":
        return whole.rows(slice(border, None))
    return whole.rows(slice(min(ref.most_rows or len(whole.target), border if part == "train" else len(whole.target))))


def load_test_inputs(data_folder: Path, ref: DataRef) -> tuple[np.ndarray, np.ndarray | None]:
    """Map the encoded inputs of the test rows, and of a forecast their `units`; the answers stay sealed."""
    _check_test_inputs(ref)
    folder = data_folder / ref.key / "test"
    units = folder / "units.npy"
    return _map(folder / "inputs.npy"), _map(units) if units.exists() else None


def load_folds(data_folder: Path, ref: DataRef) -> np.ndarray:
    """Map the fold of each training row, then of each validation row."""
    return _map(data_folder / ref.key / "folds.npy")


def load_fold(data_folder: Path, ref: DataRef, fold: int) -> np.ndarray | None:
    """Map the inputs of all known rows as they are where this fold is validated on; None where they are no others then."""
    path = data_folder / ref.key / f"fold-{fold}.npy"
    return _map(path) if path.exists() else None


def load_raw_test(data_folder: Path, ref: DataRef) -> Raw:
    """The inputs of the test rows as the task gave them, for a model with preprocessing of its own."""
    _check_test_inputs(ref)
    path = data_folder / ref.key / "test" / "raw.feather"
    if not path.exists():
        return _map(path.with_suffix(".npy"))
    from pyarrow import ArrowException, feather, ipc

    def columns(*names: str) -> dict[str, np.ndarray]:
        try:
            table = feather.read_table(path, names or None, memory_map=False)
        except (OSError, ArrowException) as error:
            raise _missing(path, error) from None
        return {name: np.array(table[name].to_numpy()) for name in table.column_names}

    try:
        if path.stat().st_size <= _READ_AT_ONCE:  # one by one each column would cost as much as there are columns
            return columns()
        with ipc.open_file(str(path)) as file:
            names = file.schema.names
    except (OSError, ArrowException) as error:
        raise _missing(path, error) from None
    return Stored({name: partial(lambda one: columns(one)[one], name) for name in names})


def load_schema(data_folder: Path, ref: DataRef) -> Schema:
    """Read the preprocessing that the arrays were made with."""
    path = data_folder / ref.key / "schema.json"
    try:
        return Schema.from_json(path.read_bytes())
    except OSError as error:
        raise _missing(path, error) from None


def _check_test_inputs(ref: DataRef) -> None:
    if not {"test", TEST_INPUTS} & set(ref.parts):
        raise _sealed(ref, "test")


def _sealed(ref: DataRef, part: str) -> DataError:
    return DataError(f"This assignment may read {', '.join(ref.parts)}, but not the {part} part: it is sealed.")


def _map(path: Path) -> np.ndarray:
    try:
        # "c": torch takes no read-only array. A write would stay with the process that made it.
        array: np.ndarray = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise _missing(path, error) from None
    return array


def _missing(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"Prepared data cannot be read: {path} ({error}).", hint="Run the same command again to prepare it."
    )
