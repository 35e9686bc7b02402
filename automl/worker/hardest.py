"""The test rows that the model predicts worst, set apart for the report: so that nothing but a `score` ever reads the test part.

Chooses and copies; measures nothing.
"""

from __future__ import annotations

import numpy as np

from automl.data import Schema
from automl.encoding import Encoder, Number, Raw
from automl.rounding import rounded

MOST_ROWS = 12


def hardest(
    schema: Schema, inputs: np.ndarray, raw: Raw, target: np.ndarray, prediction: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the worst rows with what it takes to show them, as plain arrays.

    `rows` are their places in the test part, the worst first; `inputs` (rows, *shape) their encoded inputs; `labels` are the
    classes' names. Of a table or text also `columns`, `cells` (rows, columns) in their own units, and `unusual` (rows, columns):
    how many standard deviations a number is from its mean, 0 for words. Worst is where the true class got the least
    probability, or where a number, or a forecast in the mean over its steps, is furthest off.
    """
    rows = np.argsort(-row_losses(target, prediction), kind="stable")[:MOST_ROWS]
    found = {"rows": rows, "inputs": np.array(inputs[rows]), "labels": np.array(schema.labels, dtype=np.str_)}
    if isinstance(raw, np.ndarray):
        return found
    shown = {name: [_shown(cell) for cell in np.asarray(raw[name])[rows].tolist()] for name in schema.columns}
    return {
        **found,
        "columns": np.array(schema.columns, dtype=np.str_),
        "cells": np.array(list(shown.values()), dtype=np.str_).T,
        "unusual": np.column_stack([_unusual(encoder, raw, rows) for encoder in schema.encoders]),
    }


def _shown(cell: object) -> str:
    if cell is None or cell != cell:
        return "missing"
    return rounded(cell) if isinstance(cell, float) else str(cell)[:200]


def _unusual(encoder: Encoder, raw: Raw, rows: np.ndarray) -> np.ndarray:
    """Words are not measured."""
    if not isinstance(encoder, Number):
        return np.zeros(len(rows))
    return np.nan_to_num((np.asarray(raw[encoder.name])[rows].astype(np.float64) - encoder.mean) / encoder.scale)


def row_losses(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Larger is worse; a prediction that is no number is the worst of all."""
    if prediction.shape == target.shape:
        off = np.abs(prediction - target)
        off = off if off.ndim == 1 else np.nanmean(off, axis=1)
    else:
        off = 1.0 - prediction[np.arange(len(target)), target]
    return np.nan_to_num(off, nan=np.inf)
