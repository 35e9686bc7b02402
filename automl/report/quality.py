"""What the winner does on the test rows: its gains, confusion or residuals, calibration. Draws; judges nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from automl.report.progress import sample
from automl.report.scored import Scored
from automl.report.svg import Frame, Scale, across, bar, dots, figure, lines, ring, straight, upward, words
from automl.report.text import gain, number, plural

MOST_CLASSES = 20
"""Beyond this a matrix is no longer read; the pairs that are confused most often are listed instead."""
MOST_PAIRS = 15
MOST_RESIDUALS = 600
_BINS = 10
_CELL, _LONGEST, _ABOVE = 4, 14, 40
"""Letters that a column of a matrix has room for at least and at most, and all of them together."""
_GAINS_LEFT, _GAINS_RIGHT, _GAINS_STEP = 132, 330, 34


@dataclass(frozen=True, slots=True)
class Confusion:
    """Test rows by true and predicted class."""

    labels: tuple[str, ...]
    counts: list[list[int]]
    """`counts[true][predicted]`."""
    shades: list[list[int]]
    """0 to 4 by share of the true class's rows, for the cells off the diagonal and on it alike."""

    @property
    def is_long(self) -> bool:
        """Whether names are too long to stand above their columns as they are."""
        widths = [max(len(label), _CELL) for label in self.labels]
        return sum(widths) > _ABOVE or max(widths) > _LONGEST


def confusion(scored: Scored) -> Confusion | None:
    """Return the matrix; None for numbers and for more classes than one can read."""
    if not scored.labels or len(scored.labels) > MOST_CLASSES:
        return None
    counts = _counts(scored)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shades = np.where(counts > 0, np.clip(np.ceil(4 * shares), 1, 4), 0).astype(int)
    return Confusion(scored.labels, counts.tolist(), shades.tolist())


def confused_pairs(scored: Scored) -> list[tuple[str, str, int]]:
    """Return (true class, taken for, rows), the most frequent mistakes first."""
    if not scored.labels:
        return []
    counts = _counts(scored)
    np.fill_diagonal(counts, 0)
    places = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    pairs = [divmod(int(place), len(scored.labels)) for place in places]
    return [
        (scored.labels[true], scored.labels[taken], int(counts[true, taken]))
        for true, taken in pairs
        if counts[true, taken]
    ]


def gains(found: Mapping[str, Sequence[float]], metric: str) -> Markup:
    """Return a whisker per rival: how much better the winner is on the same test rows, with its 95 % interval."""
    if not found:
        return Markup("")
    frame = Frame(width=440, height=_GAINS_STEP * len(found) + 56, bottom=40)
    low, high = min(0.0, *(low for _, low, _ in found.values())), max(0.0, *(high for *_, high in found.values()))
    margin = 0.04 * (high - low) or 1.0
    x = Scale(low - margin, high + margin, _GAINS_LEFT, _GAINS_RIGHT)
    body = [straight(x.at(0), 8, x.at(0), frame.height - 40, "axis")]
    for place, (name, (value, least, most)) in enumerate(found.items()):
        y = 26 + _GAINS_STEP * place
        clear = "good" if least > 0 else "bad" if most < 0 else "even"
        body += [
            words(_GAINS_LEFT - 12, y + 4, name.replace("_", " "), "label end", most=18),
            straight(x.at(least), y, x.at(most), y, f"whisker {clear}"),
            dots([(x.at(value), y)], f"{clear} large"),
            words(_GAINS_RIGHT + 14, y + 4, gain(value), "label"),
        ]
    ticks = [(tick, gain(tick)) for tick in x.ticks(3)]
    body += [words(x.at(tick), frame.height - 24, name, "tick middle") for tick, name in ticks]
    body.append(
        words((_GAINS_LEFT + _GAINS_RIGHT) / 2, frame.height - 6, f"gain in {metric}, 95 % interval", "name middle")
    )
    said = "; ".join(
        f"{name.replace('_', ' ')} {gain(v)}, from {gain(a)} to {gain(b)}" for name, (v, a, b) in found.items()
    )
    return figure(body, frame, alt=f"Gain of the winner in {metric} on the test rows over {said}.")


def residuals(scored: Scored) -> tuple[Markup, Markup]:
    """Return predicted against true values, and how often each error occurs; both empty for classes."""
    if scored.labels:
        return Markup(""), Markup("")
    frame = Frame()
    known = ~np.isnan(scored.target.astype(float))  # all steps of forecasts, one below the other
    true, predicted = scored.target[known].astype(float), scored.prediction[known].astype(float)
    ends = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    x, y = across(frame, *_padded(*ends)), upward(frame, *_padded(*ends))
    places = sample(
        [(x.at(a), y.at(b)) for a, b in zip(predicted.tolist(), true.tolist(), strict=True)], MOST_RESIDUALS
    )
    body = [straight(x.at(x.low), y.at(y.low), x.at(x.high), y.at(y.high), "default"), dots(places, "c0 mid")]
    alt = f"True against predicted values of {plural(len(true), 'test row')}; the dashed line is where both are equal."
    scatter = figure(body, frame, alt=alt, x=x, y=y, x_name="predicted", y_name="true")
    return scatter, _histogram(true - predicted, frame)


def calibration(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """Return how often the model is right against how sure it is; the dashed line is where both are equal."""
    known = [one for one in bins if one.get("rows")]
    if not known:
        return Markup("")
    frame = Frame()
    x, y = across(frame, 0.0, 1.0), upward(frame, 0.0, 1.0)
    path = [(x.at(one["confidence"]), y.at(one["accuracy"])) for one in known]
    body = [
        straight(x.at(0), y.at(0), x.at(1), y.at(1), "default"),
        lines([path], "c0"),
        dots(path, "c0 large"),
        *(ring(*place, "touch", _bin_words(one)) for place, one in zip(path, known, strict=True)),
    ]
    alt = f"Right against sure: {'; '.join(_bin_words(one) for one in known)}."
    return figure(body, frame, alt=alt, x=x, y=y, x_name="how sure the model is", y_name="how often it is right")


def confidence_bins(scored: Scored) -> list[dict[str, float]]:
    """Return bins of equally many test rows by the probability of the predicted class, with the share that is right."""
    sure = scored.prediction.max(axis=1)
    right = scored.prediction.argmax(axis=1) == scored.target
    order = np.argsort(sure, kind="stable")
    parts = [part for part in np.array_split(order, min(_BINS, max(1, len(order) // 10))) if len(part)]
    return [
        {"confidence": float(sure[part].mean()), "accuracy": float(right[part].mean()), "rows": len(part)}
        for part in parts
    ]


def _counts(scored: Scored) -> np.ndarray:
    classes = len(scored.labels)
    cells = np.bincount(scored.target * classes + scored.predicted, minlength=classes**2)
    return cells.reshape(classes, classes)


def _histogram(errors: np.ndarray, frame: Frame) -> Markup:
    edge = float(np.quantile(np.abs(errors), 0.99)) or 1.0
    counts, edges = np.histogram(np.clip(errors, -edge, edge), bins=21, range=(-edge, edge))
    x, y = across(frame, -edge, edge), upward(frame, 0.0, max(1.0, 1.05 * float(counts.max())))
    body = [
        bar(x.at(left) + 1, y.at(count), x.at(right) - x.at(left) - 2, y.start - y.at(count), "bar")
        for count, left, right in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if count
    ]
    body.append(straight(x.at(0), frame.top, x.at(0), y.start, "default"))
    alt = f"Errors of the test rows: mean {number(float(errors.mean()))}, standard deviation {number(float(errors.std()))}."
    return figure(body, frame, alt=alt, x=x, y=y, x_name="true minus predicted", y_name="test rows")


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = 0.04 * (high - low) or abs(high) * 0.05 or 0.5
    return (low - margin, high + margin) if math.isfinite(low + high) else (0.0, 1.0)


def _bin_words(one: Mapping[str, Any]) -> str:
    return f"{one['confidence']:.0%} sure, {one['accuracy']:.0%} right, {plural(int(one['rows']), 'row')}"
