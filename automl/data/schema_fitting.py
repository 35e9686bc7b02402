"""How a schema is learned from training rows: which rows, which encoder per column, what scale the target has."""

from __future__ import annotations

import dataclasses

import numpy as np

from automl.data.fitting import (
    MOST_TEXTS,
    fit_column,
    fit_forecast,
    fit_grid,
    fit_series,
    fit_words,
    learns_logarithm,
    moments,
)
from automl.data.schema import Schema, relative_to
from automl.data.subwords import fit_subwords
from automl.data.supervised import supervised, supervision
from automl.encoding import Encoder, Forecast, missing, units
from automl.tasks import Cells, Column, Rows, Task

_MOST_ROWS = 1_000_000
"""Rows that encoders learn from: means, quantiles and levels of a million are those of more."""
_FEWEST_ROWS, _MOST_NUMBERS = 1000, 1 << 27
"""Of wide rows, such as pictures, so many at least, or as many as hold so many numbers."""


def fit_schema(rows: Rows, train: np.ndarray, task: Task) -> Schema:
    """Learn the encoders from the training rows alone, of very many from the first; class names come from all rows.

    `train` (rows,) is in order of content, so that the first of them are as good as drawn.
    """
    classes = task.kind == "classification"
    learned = train[: _enough(rows)]
    features, target = rows.take(learned), rows.target[train]
    encoders = _fit_encoders(features, rows.columns, task)
    if (window_units := units(encoders, features)) is not None:
        target = relative_to(rows.target[learned], window_units).ravel()
    is_positive = not classes and task.series is None and bool(np.min(rows.target) >= 0)
    logarithmic = is_positive and learns_logarithm(task.metric, target)
    target = np.log1p(target, dtype=np.float64) if logarithmic else target
    target_means, target_scales = ((0.0,), (1.0,)) if classes else moments(target[:, None], axis=0)
    schema = Schema(
        task=task.name,
        kind=task.kind,
        input_kind=task.input_kind,
        target=task.target,
        encoders=encoders,
        labels=_sorted_labels(rows.target) if classes else (),
        target_mean=target_means[0],
        target_scale=target_scales[0],
        logarithmic=logarithmic,
        white=_brightest(features) if isinstance(features, np.ndarray) and task.input_kind == "image" else 255.0,
        unused={column.name: column.why for column in task.columns if column.kind == "left out"},
        why={column.name: column.why for column in task.columns if column.kind != "left out" and column.why},
        gaps=_gaps(features) if not isinstance(features, np.ndarray) else {},
    )
    if task.input_kind != "table":
        return schema
    centred, folds = supervision(schema, rows, learned)
    encoders = tuple(supervised(one, features[one.name], centred, folds) for one in schema.named)
    return dataclasses.replace(schema, encoders=encoders)


def _fit_encoders(features: np.ndarray | Cells, columns: tuple[str, ...], task: Task) -> tuple[Encoder, ...]:
    if isinstance(features, np.ndarray) and task.series is not None:
        form = task.series
        return (fit_forecast(form, features) if isinstance(form, Forecast) else fit_series(form, features),)
    if isinstance(features, np.ndarray):
        return (fit_grid(features, columns, task),)
    used = [column for column in task.columns if column.kind != "left out"] or [Column(n, "number") for n in columns]
    if task.input_kind == "text":
        fit = fit_subwords if task.tokens == "subwords" else fit_words
        return (fit(used[0], features[used[0].name][:MOST_TEXTS]),)
    return tuple(fit_column(column, features[column.name]) for column in used)


def _enough(rows: Rows) -> int:
    """Rows that encoders learn from."""
    width = rows.features.shape[1] if isinstance(rows.features, np.ndarray) else 1
    return min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_NUMBERS // width))


def _gaps(features: Cells) -> dict[str, float]:
    shares = {name: float(np.mean(missing(cells))) for name, cells in features.items()}
    return {name: share for name, share in shares.items() if share}


def _brightest(features: np.ndarray) -> float:
    """Pixels count from 0 to 1, 16 or 255, as the data was made; their type or the brightest one tells which."""
    if features.dtype == np.uint8:
        return 255.0
    return float(np.max(features, initial=0.0, where=np.isfinite(features))) or 255.0


def _sorted_labels(target: np.ndarray) -> tuple[str, ...]:
    return tuple(str(label) for label in sorted(set(target.tolist()), key=_natural))


def _natural(label: object) -> tuple[int, float, str]:
    """Whole numbers in their order, also where a file holds them as text; then words."""
    text = str(label)
    return (0, float(text), text) if text.lstrip("-").isdecimal() else (1, 0.0, text)
