"""The test rows that the model predicts worst, set apart for the report: so that nothing but a `score` ever reads the test part.

Chooses and copies; measures nothing.
"""

from __future__ import annotations

import numpy as np

from automl.data import Schema

MOST_ROWS = 12


def hardest(schema: Schema, inputs: np.ndarray, target: np.ndarray, prediction: np.ndarray) -> dict[str, np.ndarray]:
    """Return the worst rows with what it takes to show them, as plain arrays.

    `rows` are their places in the test part, the worst first; `inputs` (rows, *shape) their encoded inputs; `columns`, `means` and
    `scales` turn these back into features in their own units; `labels` are the classes' names. Worst is where the true class got
    the least probability, or where a number is furthest off.
    """
    rows = np.argsort(-_loss(target, prediction), kind="stable")[:MOST_ROWS]
    return {
        "rows": rows,
        "inputs": np.array(inputs[rows]),
        "columns": np.array(schema.columns, dtype=np.str_),
        "means": np.array(schema.means),
        "scales": np.array(schema.scales),
        "labels": np.array(schema.labels, dtype=np.str_),
    }


def _loss(target: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Larger is worse; a prediction that is no number is the worst of all."""
    off = np.abs(prediction - target) if prediction.ndim == 1 else 1.0 - prediction[np.arange(len(target)), target]
    return np.nan_to_num(off, nan=np.inf)
