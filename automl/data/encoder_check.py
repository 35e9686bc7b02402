"""Whether an encoder that came from a file is one that could have been fitted: right types, sizes that fit, finite numbers."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from automl.encoding import Category, Date, Encoder, Forecast, Grid, Number, Series, Subwords, Text, Tokens

CALENDARS = ("rows", "even", "months", "weekdays")
_LONGEST = 1 << 20
"""Steps that a series may have."""


def check_encoder(encoder: Encoder) -> None:
    """Raise TypeError or ValueError where a field is not what its name says."""
    for item in dataclasses.fields(encoder):
        _check_type(item.name, str(item.type), getattr(encoder, item.name))
    match encoder:
        case Grid():
            _require(bool(encoder.shape), "a grid has sizes")
            _require(len(encoder.means) == len(encoder.scales) == encoder.shape[0], "means, scales and shape must fit")
            _require(len(encoder.columns) == math.prod(encoder.shape), "columns and shape must fit")
            _require(
                all(encoder.scales) and all(size > 0 for size in encoder.shape), "scales and sizes must not be zero"
            )
        case Series():
            _require(
                len(encoder.means) == len(encoder.scales) == encoder.channels, "means, scales and channels must fit"
            )
            _require(all(encoder.scales) and encoder.every > 0, "scales and groups must not be zero")
            _require(0 < encoder.steps <= _LONGEST, "a series has steps")
            _require(encoder.is_long or len(encoder.columns) == encoder.steps, "a wide series has a column per step")
        case Forecast():
            _require(bool(encoder.columns) and 0 < encoder.steps <= _LONGEST, "a forecast reads steps")
            _require(0 < encoder.horizon <= _LONGEST, "a forecast predicts steps")
            _require(0 < encoder.season <= encoder.steps, "a window holds a season")
            _require(encoder.least > 0 and encoder.beat > 0, "scale and beat must be positive")
            _require(encoder.calendar in CALENDARS, "a step must be known")
            _require(
                set(encoder.ahead) <= set(encoder.columns[1:]), "what is known ahead is a column beside the target"
            )
            _require(
                len(encoder.ahead) == len(encoder.ahead_scales), "columns that are known ahead and scales must fit"
            )
            _require(all(scale > 0 for scale in encoder.ahead_scales), "scales must be positive")
            _require(not encoder.ahead or encoder.horizon <= encoder.steps, "what is known ahead fits into the steps")
        case Number():
            _require(encoder.scale != 0, "a scale must not be zero")
            _require(len(encoder.knots) == len(encoder.heights), "knots and heights must fit")
            _require(list(encoder.knots) == sorted(encoder.knots), "knots must rise")
            _require(
                encoder.spelling[:1] in ("", ".", ",") and len(encoder.spelling) < 9, "a spelling begins with a mark"
            )
        case Category():
            _require(len(set(encoder.levels)) == len(encoder.levels), "levels must differ from each other")
            _require(len(encoder.rated) == len(encoder.rates), "rated words and rates must fit")
            _require(len({len(rates) for rates in encoder.rates}) < 2, "rates must have one width")
        case Date():
            _require(encoder.scale != 0 and bool(encoder.formats), "a date needs a scale and formats")
        case Text():
            widths = {len(row) for row in encoder.components}
            _require(len(widths) == 1 and min(widths) > 0, "components must have one width")
            _require(0 <= encoder.scores <= min(widths), "scores must be components")
            _require(
                len(encoder.terms) == len(encoder.weights) == len(encoder.components), "terms and weights must fit"
            )
        case Tokens():
            known = set(encoder.vocabulary)
            _require(0 < encoder.length <= 1 << 16, "a text has a length")
            _require(len(known) == len(encoder.vocabulary), "words must differ from each other")
            if isinstance(encoder, Subwords):
                _require(all(len(pair) == 2 for pair in encoder.merges), "two pieces are joined")
                _require({"".join(pair) for pair in encoder.merges} <= known, "joined pieces must be in the vocabulary")


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)


def _check_type(name: str, kind: str, value: Any) -> None:
    if kind.startswith("tuple[tuple"):
        kind, value = kind.removeprefix("tuple[").split(", ...]")[0] + ", ...]", [one for row in value for one in row]
    if kind.startswith("tuple"):
        values, kind = list(value), kind.removeprefix("tuple[").split(",")[0]
        if not isinstance(value, tuple | list):
            raise TypeError(f"{name} must be a list")
    else:
        values = [value]
    wanted = {"str": str, "bool": bool, "int": int, "float": (int, float)}[kind]
    for one in values:
        if not isinstance(one, wanted) or (isinstance(one, bool) and kind != "bool"):  # type: ignore[arg-type]
            raise TypeError(f"{name} must hold {kind}")
        if kind == "float" and not math.isfinite(one):
            raise ValueError(f"{name} must be finite")
