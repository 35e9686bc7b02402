"""Fitted preprocessing as data: JSON in, arrays out. Holds no code of the user and needs no scikit-learn to be applied."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from automl.data import strict_json
from automl.errors import DataError
from automl.tasks import Rows, Task

FORMAT = 1
"""Version of the encoding; another number never shares prepared arrays with this one."""
KINDS = ("classification", "regression")
INPUT_KINDS = ("table", "image")


@dataclass(frozen=True, slots=True)
class Schema:
    """How raw rows become a model's inputs, and its outputs become predictions."""

    task: str
    kind: Literal["classification", "regression"]
    input_kind: Literal["table", "image"]
    columns: tuple[str, ...]
    """Name of each raw feature, in order."""
    shape: tuple[int, ...]
    """Shape of one encoded row: (features,) or (channels, height, width)."""
    target: str
    means: tuple[float, ...]
    """Of each feature of a table, or of each channel of an image, over the training rows."""
    scales: tuple[float, ...]
    """Standard deviations likewise; 1 where constant."""
    labels: tuple[str, ...] = ()
    """Class names in the order of the model's outputs; empty for regression."""
    target_mean: float = 0.0
    target_scale: float = 1.0
    """Regression trains on (target - mean) / scale."""
    white: float = 255.0
    """Raw value of a fully bright pixel; picture files are scaled to it."""
    format: int = FORMAT

    @classmethod
    def fit(cls, rows: Rows, train: np.ndarray, task: Task) -> Self:
        """Learn means and scales from the training rows alone; class names come from all rows."""
        means, scales = _moments(rows.features[train], task)
        classes = task.kind == "classification"
        target_means, target_scales = ((0.0,), (1.0,)) if classes else _moments_of(rows.target[train][:, None], axis=0)
        return cls(
            task=task.name,
            kind=task.kind,
            input_kind=task.input_kind,
            columns=rows.columns,
            shape=task.shape,
            target=task.target,
            means=means,
            scales=scales,
            labels=_sorted_labels(rows.target) if classes else (),
            target_mean=target_means[0],
            target_scale=target_scales[0],
            white=_brightest(rows.features[train]) if task.input_kind == "image" else 255.0,
        )

    def encode(self, features: np.ndarray) -> np.ndarray:
        """Raw (rows, features) or (rows, *shape) numbers -> standardised float32 (rows, *shape); NaN becomes the mean, 0."""
        width = int(np.prod(self.shape))
        if features.ndim < 2 or int(np.prod(features.shape[1:])) != width:
            raise DataError(
                f"Rows for '{self.task}' must be (rows, {width}) or (rows, {', '.join(map(str, self.shape))}), "
                f"but are {features.shape}."
            )
        values = np.asarray(features, dtype=np.float64).reshape(-1, *self.shape)
        per_feature = (-1,) + (1,) * (len(self.shape) - 1)  # one value per feature, or per channel
        encoded = (values - np.reshape(self.means, per_feature)) / np.reshape(self.scales, per_feature)
        return np.nan_to_num(encoded, nan=0.0).astype(np.float32)

    def encode_target(self, target: np.ndarray) -> np.ndarray:
        """Raw (rows,) labels -> int64 class indices, or numbers -> standardised float32."""
        if self.kind == "regression":
            return ((np.asarray(target, dtype=np.float64) - self.target_mean) / self.target_scale).astype(np.float32)
        index = {label: place for place, label in enumerate(self.labels)}
        return np.array([index[str(label)] for label in target.tolist()], dtype=np.int64)

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Model outputs -> float64 predictions.

        Logits (rows, classes) become probabilities of the same shape (softmax); standardised numbers (rows,) or (rows, 1)
        become (rows,) numbers in the target's own units.
        """
        values = np.asarray(outputs, dtype=np.float64)
        if self.kind == "regression":
            return values.reshape(len(values)) * self.target_scale + self.target_mean
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def to_json(self) -> str:
        """Return the schema as readable JSON."""
        return json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild a schema; raises DataError for another format version or a malformed document."""
        try:
            data: dict[str, Any] = strict_json.parse(text)
            if data["format"] != FORMAT:
                raise DataError(
                    f"The schema has format {data['format']}, this version reads {FORMAT}. Update automl-search."
                )
            for name in ("columns", "shape", "means", "scales", "labels"):
                data[name] = tuple(data[name])
            schema = cls(**data)
            schema._check()
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise DataError(
                f"The schema cannot be read ({type(error).__name__}).", hint="Prepare the data again."
            ) from None
        return schema

    def _check(self) -> None:
        """Raise ValueError or TypeError where a part is not what the fields say."""
        words = (self.task, self.kind, self.input_kind, self.target, *self.columns, *self.labels)
        numbers = (*self.means, *self.scales, self.target_mean, self.target_scale, self.white)
        if not all(isinstance(word, str) for word in words):
            raise TypeError("names, columns and labels must be text")
        if any(type(size) is not int or size < 1 for size in self.shape):
            raise TypeError("sizes must be positive integers")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise TypeError("means and scales must be numbers")
        if not len(self.means) == len(self.scales) == self.shape[0] or len(self.columns) != math.prod(self.shape):
            raise ValueError("means, scales, columns and shape must fit each other")
        if self.kind not in KINDS or self.input_kind not in INPUT_KINDS or (self.kind == KINDS[0]) != bool(self.labels):
            raise ValueError("kind and labels must fit each other")
        if not all(math.isfinite(number) for number in numbers) or not all(
            (*self.scales, self.target_scale, self.white)
        ):
            raise ValueError("scales must be finite and not zero")
        if len(set(self.columns)) < len(self.columns) or len(set(self.labels)) < len(self.labels):
            raise ValueError("columns and labels must differ from each other")


def _moments(features: np.ndarray, task: Task) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if task.input_kind == "table":
        return _moments_of(features, axis=0)
    images = features.reshape(-1, *task.shape)  # (rows, channels, height, width)
    return _moments_of(images, axis=(0, 2, 3))


def _brightest(features: np.ndarray) -> float:
    """Pixels count from 0 to 1, 16 or 255, as the data was made; the brightest one tells which."""
    return float(np.max(features, initial=0.0, where=np.isfinite(features))) or 255.0


def _moments_of(values: np.ndarray, axis: int | tuple[int, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=axis), 1)
    means = np.where(known, values, 0.0).sum(axis=axis) / count
    spread = np.where(known, values - np.expand_dims(means, axis), 0.0)
    scales = np.sqrt(np.square(spread).sum(axis=axis) / count)
    return tuple(means.tolist()), tuple(np.where(scales > 0, scales, 1.0).tolist())


def _sorted_labels(target: np.ndarray) -> tuple[str, ...]:
    return tuple(str(label) for label in np.unique(target).tolist())
