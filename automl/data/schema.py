"""Fitted preprocessing as data: JSON in, arrays out. Holds no code of the user and needs no scikit-learn to be applied."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np

from automl.data import strict_json
from automl.data.encoder_check import check_encoder
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
from automl.data.subwords import fit_subwords
from automl.data.supervised import deviations, parts_of, supervised
from automl.encoding import (
    CellError,
    ColumnEncoder,
    Encoder,
    Forecast,
    Raw,
    SeriesError,
    Steps,
    Tokens,
    WholeEncoder,
    encode,
    encoder_from,
    gathered,
    in_units,
    missing,
    units,
)
from automl.errors import DataError
from automl.tasks import Cells, Column, Rows, Task

FORMAT = 2
"""Version of the encoding; another number never shares prepared arrays with this one."""
_MOST_ROWS = 1_000_000
"""Rows that encoders learn from: means, quantiles and levels of a million are those of more."""
_FEWEST_ROWS, _MOST_NUMBERS = 1000, 1 << 27
"""Of wide rows, such as pictures, so many at least, or as many as hold so many numbers."""
_LARGEST = 250.0
"""Logarithm of a prediction at most: squares of larger numbers overflow."""
_FARTHEST = 1e18
"""Scales from the mean, for a target that lies absurdly far from those of the training rows: its square is still a float32."""
_LATER = ("ahead", "ahead_scales", "rated", "rates", "scores", "utc")
"""Fields of encoders that are left out where they are empty, so that a schema without them keeps the text and hash of before."""
KINDS = ("classification", "regression")
INPUT_KINDS = ("table", "image", "text", "series")


@dataclass(frozen=True, slots=True)
class Schema:
    """How raw rows become a model's inputs, and its outputs become predictions."""

    task: str
    kind: Literal["classification", "regression"]
    input_kind: Literal["table", "image", "text", "series"]
    target: str
    encoders: tuple[Encoder, ...]
    """One per column that is used, in order; of images, series and whole texts a single one."""
    labels: tuple[str, ...] = ()
    """Class names in the order of the model's outputs; empty for regression."""
    target_mean: float = 0.0
    target_scale: float = 1.0
    """Regression trains on (target - mean) / scale."""
    logarithmic: bool = False
    """Whether it does so on log(1 + target); predictions are then never below 0."""
    white: float = 255.0
    """Raw value of a fully bright pixel; picture files are scaled to it."""
    unused: dict[str, str] = field(default_factory=dict)
    """Columns of the training file that the model does not read, and why."""
    why: dict[str, str] = field(default_factory=dict)
    """Columns that it does read, and what was seen in their cells; for people."""
    gaps: dict[str, float] = field(default_factory=dict)
    """Share of training rows in which a column is missing; one without gaps is not named."""
    format: int = FORMAT

    @classmethod
    def fit(cls, rows: Rows, train: np.ndarray, task: Task) -> Self:
        """Learn the encoders from the training rows alone, of very many from the first; class names come from all rows.

        `train` (rows,) is in order of content, so that the first of them are as good as drawn.
        """
        classes = task.kind == "classification"
        learned = train[: _enough(rows)]
        features, target = rows.take(learned), rows.target[train]
        encoders = _fit_encoders(features, rows.columns, task)
        if isinstance(encoders[0], Forecast):
            target = _told(target, units(encoders, features)).ravel()
        is_positive = not classes and task.series is None and bool(np.min(rows.target) >= 0)
        logarithmic = is_positive and learns_logarithm(task.metric, target)
        target = np.log1p(target, dtype=np.float64) if logarithmic else target
        target_means, target_scales = ((0.0,), (1.0,)) if classes else moments(target[:, None], axis=0)
        schema = cls(
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
        told = schema.supervision(rows, learned)
        encoders = tuple(supervised(one, features[one.name], *told) for one in schema.named)
        return dataclasses.replace(schema, encoders=encoders)

    def supervision(self, rows: Rows, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of training rows at these places, in order of content: what their targets say, and in which parts they learn from each other."""
        group = None if rows.group is None else rows.group[places]
        return deviations(self.encode_target(rows.target[places]), len(self.labels)), parts_of(len(places), group)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each raw column, in order."""
        first = self.encoders[0]
        return first.raw_columns if isinstance(first, WholeEncoder) else tuple(one.name for one in self.named)

    @property
    def named(self) -> tuple[ColumnEncoder, ...]:
        """Encoders of one column each; none where a row is numbers that belong together."""
        return tuple(one for one in self.encoders if isinstance(one, ColumnEncoder))

    @property
    def horizon(self) -> int:
        """Steps that are predicted; 0 where this is no forecast."""
        first = self.encoders[0]
        return first.horizon if isinstance(first, Forecast) else 0

    @property
    def ahead(self) -> tuple[str, ...]:
        """Columns that a forecast reads for the steps that it predicts too."""
        first = self.encoders[0]
        return first.ahead if isinstance(first, Forecast) else ()

    @property
    def id(self) -> str:
        """Column that says which series a row of a table is of; empty where each row is one, or all are."""
        first = self.encoders[0]
        return first.id if isinstance(first, Steps) else ""

    @property
    def is_long(self) -> bool:
        """Whether it takes several rows of a table to make one that is predicted."""
        first = self.encoders[0]
        return isinstance(first, Steps) and first.is_long

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one encoded row."""
        first = self.encoders[0]
        return first.encoded_shape if isinstance(first, WholeEncoder) else (len(self.cardinalities),)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Of a table, per encoded feature: 0 for a number, else how many codes it has."""
        return tuple(n for one in self.named for n in one.cardinalities)

    @property
    def vocabulary(self) -> int | None:
        """Of a text, how many codes its words, or their pieces, have."""
        first = self.encoders[0]
        return first.size if isinstance(first, Tokens) else None

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
        """What each row's forecast is told in, (rows, horizon + 1): the base of each step and the scale. None for all else."""
        return units(self.encoders, raw)

    def encode_target(self, target: np.ndarray, told: np.ndarray | None = None) -> np.ndarray:
        """Raw (rows,) labels -> int64 class indices, or numbers -> standardised float32; of a forecast (rows, horizon) in `units`."""
        if self.kind == "regression":
            target = np.log1p(target, dtype=np.float64) if self.logarithmic else _told(target, told)
            scaled = (np.asarray(target, dtype=np.float64) - self.target_mean) / self.target_scale
            return np.clip(scaled, -_FARTHEST, _FARTHEST).astype(np.float32)
        index = {label: place for place, label in enumerate(self.labels)}
        return np.array([index[str(label)] for label in target.tolist()], dtype=np.int64)

    def decode(self, outputs: np.ndarray, told: np.ndarray | None = None) -> np.ndarray:
        """Model outputs -> float64 predictions.

        Logits (rows, classes) become probabilities of the same shape (softmax); standardised numbers (rows,) or (rows, 1)
        become (rows,) numbers in the target's own units, and those of a forecast (rows, horizon), which needs its `units`.
        """
        values = np.asarray(outputs, dtype=np.float64)
        if self.horizon and told is not None:
            return in_units(values * self.target_scale + self.target_mean, told)
        if self.kind == "regression":
            numbers = values.reshape(len(values)) * self.target_scale + self.target_mean
            return np.maximum(np.expm1(np.minimum(numbers, _LARGEST)), 0.0) if self.logarithmic else numbers
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def to_json(self) -> str:
        """Return the schema as readable JSON."""
        document = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        if not self.logarithmic:
            del document["logarithmic"]  # as `_LATER`
        document["encoders"] = [
            {"kind": one.kind, **{k: v for k, v in dataclasses.asdict(one).items() if v or k not in _LATER}}
            for one in self.encoders
        ]
        return json.dumps(document, indent=1, allow_nan=False)

    @property
    def fingerprint(self) -> str:
        """A hash of how rows are read and encoded, whatever the reasons were: models of two that differ see other inputs."""
        document = json.loads(self.to_json()) | {"why": None, "unused": sorted(self.unused)}
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild a schema; raises DataError for another format version or a malformed document."""
        try:
            data: dict[str, Any] = strict_json.parse(text)
            if data["format"] != FORMAT:
                raise DataError(
                    f"The schema has format {data['format']}, this version reads {FORMAT}. Update automl-search."
                )
            data["encoders"] = tuple(encoder_from(one) for one in data["encoders"])
            data["labels"] = tuple(data["labels"])
            schema = cls(**data)
            schema._check()
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise DataError(
                f"The schema cannot be read ({type(error).__name__}).", hint="Prepare the data again."
            ) from None
        return schema

    def _check(self) -> None:
        """Raise ValueError or TypeError where a part is not what the fields say."""
        names = (self.task, self.kind, self.input_kind, self.target, *self.labels, *self.gaps)
        names += tuple(word for said in (self.unused, self.why) for pair in said.items() for word in pair)
        numbers = (self.target_mean, self.target_scale, self.white, *self.gaps.values())
        if not all(isinstance(word, str) for word in names):
            raise TypeError("names, columns and labels must be text")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise TypeError("means and scales must be numbers")
        if not isinstance(self.logarithmic, bool) or (self.logarithmic and self.kind != "regression"):
            raise TypeError("only numbers have a logarithm")
        if self.kind not in KINDS or self.input_kind not in INPUT_KINDS or (self.kind == KINDS[0]) != bool(self.labels):
            raise ValueError("kind and labels must fit each other")
        if not all(math.isfinite(number) for number in numbers) or not all((self.target_scale, self.white)):
            raise ValueError("scales must be finite and not zero")
        if not self.encoders or (len(self.encoders) > 1) & any(isinstance(one, WholeEncoder) for one in self.encoders):
            raise ValueError("an encoder of the whole input stands alone")
        for encoder in self.encoders:
            check_encoder(encoder)
        if len(set(self.columns)) < len(self.columns) or len(set(self.labels)) < len(self.labels):
            raise ValueError("columns and labels must differ from each other")


def _encoded(encoders: tuple[Encoder, ...], raw: Raw) -> np.ndarray:
    try:
        return encode(encoders, raw)
    except CellError as error:
        raise DataError(f"{error}. Correct it, or leave it empty where it is missing.") from None


def _told(target: np.ndarray, told: np.ndarray | None) -> np.ndarray:
    """Of a forecast, the difference from the base over the scale."""
    return target if told is None else (target - told[:, :-1]) / told[:, -1:]


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
