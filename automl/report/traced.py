"""Series as lines in the colour of what each step adds to a prediction. Draws; measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
from markupsafe import Markup

from automl.report.svg import Frame, Point, Scale, across, figure, lines, straight, words

MOST_CHANNELS = 3
"""Those that carry most; of a forecast the target is among them."""
_STRETCHES = 12
"""Parts of a series that are named in words."""
_NAMED = 2
_LEVELS = (0.25, 0.5, 0.75)
"""Shares of the strongest attribution from which on a step or a word has the first, second and third shade."""
_PANEL, _GAP = 92, 34


def shade(value: float, top: float) -> str:
    """Return `for1` to `for3`, `con1` to `con3`, or nothing for what is small beside the strongest, `top`."""
    level = sum(abs(value) >= share * top for share in _LEVELS) if top > 0 else 0
    return f"{'for' if value > 0 else 'con'}{level}" if level else ""


def traced(
    found: Mapping[str, np.ndarray],
    place: int,
    values: np.ndarray,
    future: tuple[np.ndarray, np.ndarray] | None,
    told: str,
) -> Markup:
    """Return a panel per channel: the line, thick where a step carries much; of a forecast with what came and what was predicted."""
    chosen = _channels(values, future is not None)
    top = float(np.abs(values).max(initial=0.0))
    ends = [_step(found, channel, values.shape[1] - 1) for channel in chosen]
    last = max(*ends, 0 if future is None else len(future[0]))
    frame = Frame(height=(_PANEL + _GAP) * len(chosen) + 44, top=0)
    x = across(frame, min(_step(found, channel, 0) for channel in chosen), last)
    body: list[str] = []
    for panel, channel in enumerate(chosen):
        above = panel * (_PANEL + _GAP) + _GAP
        line = found["lines"][place, channel]
        y = _upward([line] if future is None or channel else [line, *future], above)
        steps = [_step(found, channel, step) for step in range(len(line))]
        body += [words(4, above - 12, str(found["channels"][channel]), "name"), *_grid(frame, y)]
        body += _coloured(_placed(x, y, steps, line), values[channel][np.isfinite(line)], top)
        if future is None:
            continue
        body.append(straight(x.at(0), above, x.at(0), above + _PANEL, "default"))
        if channel == 0:
            after = [np.concatenate([line[-1:], one]) for one in future]
            body += [
                lines([_placed(x, y, range(len(one)), one)], css)
                for css, one in zip(("truth", "told"), after, strict=True)
            ]
    return figure(
        body,
        frame,
        alt=f"Series of test row {found['rows'][place]}. {told}",
        x=x,
        x_name="step",
        whole=True,
    )


def strongest_steps(found: Mapping[str, np.ndarray], values: np.ndarray, is_class: bool) -> str:
    """Say which stretches of which channel add most to the prediction and which take most from it, by their sums."""
    pro, con = ("For", "Against") if is_class else ("Raises it", "Lowers it")
    parts = np.array_split(np.arange(values.shape[1]), min(_STRETCHES, values.shape[1]))
    sums = [(float(values[channel, part].sum()), channel, part) for channel in range(len(values)) for part in parts]
    ranked = sorted(sums, key=lambda one: -one[0])
    fors = [_named(found, channel, part) for value, channel, part in ranked[:_NAMED] if value > 0]
    cons = [_named(found, channel, part) for value, channel, part in ranked[::-1][:_NAMED] if value < 0]
    return f"{pro}: {', '.join(fors) or 'no step'}. {con}: {', '.join(cons) or 'no step'}."


def _named(found: Mapping[str, np.ndarray], channel: int, part: np.ndarray) -> str:
    first, last = _step(found, channel, int(part[0])), _step(found, channel, int(part[-1]))
    steps = f"step {first}" if first == last else f"steps {first} to {last}"
    return f"{steps} of {found['channels'][channel]}" if len(found["channels"]) > 1 else steps


def _step(found: Mapping[str, np.ndarray], channel: int, place: int) -> int:
    return int(found["begins"][channel]) + place * int(found["every"])


def _channels(values: np.ndarray, is_forecast: bool) -> list[int]:
    weight = np.abs(values).sum(axis=1)
    order = np.argsort(-weight, kind="stable").tolist()
    if is_forecast:
        order = [0, *(channel for channel in order if channel)]
    return sorted(order[:MOST_CHANNELS])


def _grid(frame: Frame, y: Scale) -> Iterable[str]:
    for tick, name in y.named_ticks(2):
        yield straight(frame.left, y.at(tick), frame.width - frame.right, y.at(tick), "grid")
        yield words(frame.left - 8, y.at(tick) + 4, name, "tick end")


def _upward(shown: Sequence[np.ndarray], above: float) -> Scale:
    known = np.concatenate([one[np.isfinite(one)] for one in shown])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    margin = 0.5 if low == high else 0.0
    return Scale(low - margin, high + margin, above + _PANEL, above)


def _placed(x: Scale, y: Scale, steps: Iterable[int], values: np.ndarray) -> list[Point]:
    return [(x.at(step), y.at(value)) for step, value in zip(steps, values.tolist(), strict=True) if np.isfinite(value)]


def _coloured(points: list[Point], values: np.ndarray, top: float) -> Iterable[str]:
    """The whole line, thin; over it stretches of one shade, from half way to the step before to half way to the one behind."""
    yield lines([points], "truth")
    shades = [shade(value, top) for value in values.tolist()]
    strokes: dict[str, list[list[Point]]] = {}
    for css, group in groupby(range(len(points)), key=shades.__getitem__):
        run = list(group)
        before, behind = points[max(run[0] - 1, 0)], points[min(run[-1] + 1, len(points) - 1)]
        inside = [points[step] for step in run]
        strokes.setdefault(css, []).append([_middle(before, inside[0]), *inside, _middle(inside[-1], behind)])
    for css in sorted(strokes.keys() - {""}):
        yield lines(strokes[css], css)


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
