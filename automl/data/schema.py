"""Fitted preprocessing applied to rows: raw cells in, a model's inputs out; and its outputs back into predictions.

A schema is plain data (`schema_fields`) that travels as JSON (`schema_json`) and is learned by `schema_fitting`. It holds no code
of the user and needs no scikit-learn to be applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from automl.data import schema_json
from automl.data.schema_fields import SchemaFields
from automl.encoding import (
    CellError,
    ColumnEncoder,
    Encoder,
    Raw,
    SeriesError,
    WholeEncoder,
    encode,
    gathered,
    in_units,
    units,
)
from automl.errors import DataError

_LARGEST = 250.0
"""Logarithm of a prediction at most: squares of larger numbers overflow."""
_FARTHEST = 1e18
"""Scales from the mean, for a target that lies absurdly far from those of the training rows: its square is still a float32."""


@dataclass(frozen=True, slots=True)
class Schema(SchemaFields):
    """How raw rows become a model's inputs, and its outputs become predictions."""

    def encode(self, raw: Raw) -> np.ndarray:
        """Cells by column, or an array (rows, columns) or (rows, *shape) -> float32 (rows, *shape). Raises DataError.

        Of long series the cells of all their rows give a row per series; an array holds a series a row, channel by channel.
        """
        first = self.encoders[0]
        width = first.width if isinstance(first, WholeEncoder) else len(self.columns)
        if isinstance(raw, np.ndarray) and (raw.ndim < 2 or int(np.prod(raw.shape[1:])) != width):
            raise DataError(
                f"Rows for '{self.task}' must be (rows, {width}) or (rows, {', '.join(map(str, self.shape))}), but are {raw.shape}."
            )
        return _encoded(self.encoders, self.gathered(raw)[1])

    def encode_column(self, encoder: ColumnEncoder, cells: np.ndarray) -> np.ndarray:
        """Cells (rows,) of one column -> float32 (rows, features of this encoder). Raises DataError."""
        return _encoded((encoder,), {encoder.name: cells})

    def gathered(self, raw: Raw) -> tuple[tuple[str, ...], Raw]:
        """Cells of long rows -> ids, and an array of a row per series; whatever else comes goes as it is. Raises DataError."""
        try:
            return gathered(self.encoders, raw)
        except (CellError, SeriesError) as error:
            raise DataError(f"{error}.") from None

    def units(self, raw: Raw) -> np.ndarray | None:
        """Of each window of a forecast (rows, horizon + 1): the base of each step, then the scale. None for all else."""
        return units(self.encoders, raw)

    def encode_target(self, target: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
        """Raw (rows,) labels -> int64 class indices, or numbers -> standardised float32; of a forecast (rows, horizon) in `units`."""
        if self.kind == "regression":
            if self.logarithmic:
                target = np.log1p(target, dtype=np.float64)
            elif units is not None:
                target = relative_to(target, units)
            scaled = (np.asarray(target, dtype=np.float64) - self.target_mean) / self.target_scale
            return np.clip(scaled, -_FARTHEST, _FARTHEST).astype(np.float32)
        index = {label: place for place, label in enumerate(self.labels)}
        return np.array([index[str(label)] for label in target.tolist()], dtype=np.int64)

    def decode(self, outputs: np.ndarray, units: np.ndarray | None = None) -> np.ndarray:
        """Model outputs -> float64 predictions.

        Logits (rows, classes) become probabilities of the same shape (softmax); standardised numbers (rows,) or (rows, 1)
        become (rows,) numbers in the target's own units, and those of a forecast (rows, horizon), which needs its `units`.
        """
        values = np.asarray(outputs, dtype=np.float64)
        if self.horizon and units is not None:
            return in_units(values * self.target_scale + self.target_mean, units)
        if self.kind == "regression":
            numbers = values.reshape(len(values)) * self.target_scale + self.target_mean
            return np.maximum(np.expm1(np.minimum(numbers, _LARGEST)), 0.0) if self.logarithmic else numbers
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def to_json(self) -> str:
        """Return the schema as readable JSON."""
        return schema_json.dump(self)

    @property
    def fingerprint(self) -> str:
        """A hash of how rows are read and encoded: models of two schemas that differ in it see other inputs."""
        return schema_json.fingerprint(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild a schema; raises DataError for another format version or a malformed document."""
        return schema_json.parse(text, cls)


def relative_to(target: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Numbers (rows, horizon) of a forecast -> their differences from the base, over the scale: undoes `encoding.in_units`."""
    return np.asarray((target - units[:, :-1]) / units[:, -1:])


def _encoded(encoders: tuple[Encoder, ...], raw: Raw) -> np.ndarray:
    try:
        return encode(encoders, raw)
    except CellError as error:
        raise DataError(f"{error}. Correct it, or leave it empty where it is missing.") from None
