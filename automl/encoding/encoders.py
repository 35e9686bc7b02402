"""A model's encoders together: rebuilt from JSON, and applied to rows as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .category import Category
from .cells import Raw
from .date import Date
from .encoder import ColumnEncoder, Encoder, WholeEncoder
from .forecast import Forecast
from .grid import Grid
from .number import Number
from .series import Series
from .steps import Steps
from .subwords import Subwords
from .text import Text
from .tokens import Words

KINDS: dict[str, type[Encoder]] = {
    one.kind: one for one in (Number, Category, Date, Text, Words, Subwords, Grid, Series, Forecast)
}


def encoder_from(document: Mapping[str, Any]) -> Encoder:
    """Rebuild an encoder from its JSON form. Raises KeyError or TypeError for what is none."""
    fields = {name: _frozen(value) for name, value in document.items() if name != "kind"}
    return KINDS[document["kind"]](**fields)


def encode(encoders: Sequence[Encoder], raw: Raw) -> np.ndarray:
    """Rows -> float32 (rows, *shape), the encoders' features side by side. Raises CellError."""
    first = encoders[0]
    if isinstance(first, WholeEncoder):
        rows = raw if isinstance(raw, np.ndarray) else first.gather(raw)[1]
        return first.encode(rows).astype(np.float32)
    named = [one for one in encoders if isinstance(one, ColumnEncoder)]
    if isinstance(raw, np.ndarray):
        raw = {one.name: raw[:, place] for place, one in enumerate(named)}
    return np.hstack([one.encode(np.asarray(raw[one.name])).astype(np.float32) for one in named])


def gathered(encoders: Sequence[Encoder], raw: Raw) -> tuple[tuple[str, ...], Raw]:
    """Rows as they came -> ids, and an array of a row per series; all but tables of series come back as they are. Raises CellError."""
    first = encoders[0]
    if isinstance(raw, np.ndarray) or not isinstance(first, Steps):
        return (), raw
    return first.gather(raw)


def units(encoders: Sequence[Encoder], raw: Raw) -> np.ndarray | None:
    """The base and scale of each row's forecast, (rows, horizon + 1), see `Forecast.units`; None for all but forecasts."""
    first = encoders[0]
    return first.units(gathered(encoders, raw)[1]) if isinstance(first, Forecast) else None


def in_units(outputs: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Outputs (rows, horizon) as differences from the base over the scale, and those `units` -> numbers in the target's own units."""
    return np.asarray(outputs * units[:, -1:] + units[:, :-1])


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
