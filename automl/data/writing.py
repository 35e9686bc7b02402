"""Encoded rows into files, whatever memory there is: columns are encoded one at a time, rows are written a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import feather

from automl.data.durable import new_file
from automl.data.schema import Schema
from automl.data.supervised import blind_to_fold, from_other_rows, supervision
from automl.sources.scratch import empty_array
from automl.tasks import Rows, take

_NUMBERS_AT_ONCE = 1 << 22


def write_inputs(files: dict[Path, np.ndarray], schema: Schema, rows: Rows, *, trained: int) -> None:
    """Write the encoded rows at the places that each file is to have, as float32 (rows, *shape), `.npy`. Raises DataError.

    The first `trained` rows are those that the schema was fitted on: what it knows of their targets they get from other rows.
    """
    if isinstance(rows.features, np.ndarray):
        for path, indices in files.items():
            step = max(1, _NUMBERS_AT_ONCE // max(1, rows.features.shape[1]))
            blocks = (
                schema.encode(rows.features[indices[start : start + step]]) for start in range(0, len(indices), step)
            )
            _write_array(path, blocks, (len(indices), *schema.shape))
        return
    by_feature = _encoded_by_feature(schema, rows, np.concatenate(list(files.values())), trained)
    start = 0
    for path, indices in files.items():
        end = start + len(indices)
        step = max(1, _NUMBERS_AT_ONCE // len(by_feature))
        blocks = (by_feature[:, at : min(at + step, end)].T for at in range(start, end, step))
        _write_array(path, blocks, (len(indices), *schema.shape))
        start = end


def write_folds(folder: Path, inputs: Path, schema: Schema, rows: Rows, order: np.ndarray, folds: np.ndarray) -> None:
    """Write `fold-1.npy`, ...: the `inputs` of the rows at these places, blind to the targets of a fold. None where no feature knows any.

    `folds` (rows,) are of the same rows. Fold 0 needs none: it is the validation part, which no encoder has learned from.
    """
    place, changes = 0, []
    centred, _ = supervision(schema, rows, order)
    for encoder in schema.named:
        for fold in range(1, int(folds.max()) + 1):
            blind = blind_to_fold(encoder, rows.features[encoder.name][order], centred, folds, fold)
            if blind is not None:
                changes.append((fold, place + blind[0], blind[1]))
        place += len(encoder.cardinalities)
    for fold in sorted({fold for fold, _, _ in changes}):
        features = np.load(inputs, allow_pickle=False)
        for changed, first, values in changes:
            if changed == fold:
                features[:, first : first + values.shape[1]] = values
        write_array(folder / f"fold-{fold}.npy", features)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array as `.npy`."""
    _write_array(path, iter([array]), array.shape, array.dtype)


def write_raw(path: Path, rows: Rows, indices: np.ndarray) -> None:
    """Write rows as they came: `.npy` of an array, `.feather` of a table, beside `path`, which has no ending."""
    if isinstance(rows.features, np.ndarray):
        write_array(path.with_suffix(".npy"), rows.features[indices])
        return
    cells = take(rows.features, indices)
    with new_file(path.with_suffix(".feather")) as file:
        feather.write_feather(pa.table({name: pa.array(cells[name]) for name in cells}), file)


def _encoded_by_feature(schema: Schema, rows: Rows, order: np.ndarray, trained: int) -> np.ndarray:
    """(features, rows): of a whole text its words, of a table what each column becomes."""
    found = empty_array((int(np.prod(schema.shape)), len(order)), np.float32)
    step, place = max(1, _NUMBERS_AT_ONCE // len(found)), 0
    centred, folds = supervision(schema, rows, order[:trained])
    for encoder in schema.named:
        cells = rows.features[encoder.name][order]
        for start in range(0, len(order), step):
            block = schema.encode_column(encoder, cells[start : start + step])
            found[place : place + block.shape[1], start : start + step] = block.T
        if (blind := from_other_rows(encoder, cells[:trained], centred, folds)) is not None:
            first, values = blind
            found[place + first : place + first + values.shape[1], :trained] = values.T
        place += block.shape[1]
    return found


def _write_array(
    path: Path, blocks: Iterator[np.ndarray], shape: tuple[int, ...], dtype: np.dtype | type = np.float32
) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with new_file(path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
