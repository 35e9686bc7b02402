"""How the search went: best so far against slots and against time, learning curves. Draws what it is given and decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Literal, TypeVar

from markupsafe import Markup

from automl.report.slots import Slot, Trials
from automl.report.svg import Frame, Point, Scale, across, dots, figure, lines, ring, stairs, straight, upward
from automl.report.text import duration, number, plural

MOST_CURVES = 150
_MOST_STEPS = 60
_ENOUGH = 4
"""Complete slots that tell how far their values spread."""
_BESTS = 12
"""Points that tell their slot when pointed at."""
_FRAME = Frame()
T = TypeVar("T")


def best_so_far(trials: Trials, *, over: Literal["slot", "time"]) -> Markup:
    """Return a point per slot with a value, a line along the best complete value so far, and the default's line."""
    done = [slot for slot in trials.slots if slot.value is not None]
    complete = sorted((slot for slot in done if slot.complete), key=lambda slot: _place(slot, over))
    if not complete:
        return Markup("")
    unit, name = (1.0, "slot") if over == "slot" else _unit(max(slot.ended for slot in done))
    last = max(_place(slot, over) for slot in done) / unit
    x = across(_FRAME, -0.02 * last - 0.5 if over == "slot" else 0.0, last * 1.02 + (0.5 if over == "slot" else 1e-9))
    y = point_scale(trials, done, _FRAME)
    best = best_line(complete, trials.sign)

    def where(slot: Slot) -> Point:
        return x.at(_place(slot, over) / unit), y.at(slot.value or 0.0)

    path = [(x.at(_place(slot, over) / unit), y.at(value)) for slot, value in zip(complete, best, strict=True)]
    body = [
        *_default_line(trials, y),
        *_points(done, trials, where),
        stairs([*path, (x.end, path[-1][1])], "best"),
        *(_named(slot, where(slot), trials) for slot in trials.ranked[:_BESTS] if slot.complete),
    ]
    alt = f"Best {trials.metric} so far over {plural(len(done), 'slot')}: {number(best[0])} at first, {number(best[-1])} at the end."
    return figure(body, _FRAME, alt=alt, x=x, y=y, x_name=name, y_name=trials.metric, whole=over == "slot")


def learning_curves(trials: Trials, folds: int = 0) -> Markup:
    """Return a line per slot over its epochs: the best and an even sample of the others; those stopped early are faint.

    With folds they are of the first one: no other reports its epochs.
    """
    curves = [slot for slot in trials.ranked if len(slot.curve) > 1]
    if not curves:
        return Markup("")
    shown = sample(curves, MOST_CURVES)
    x = across(_FRAME, 1, max(slot.curve[-1][0] for slot in shown))
    y = value_scale(trials, [value for slot in shown for _, value in slot.curve], _FRAME)
    body = []
    for state in (False, True):
        for family in trials.families:
            mine = [_curve(slot, x, y) for slot in shown if slot.family == family and slot.complete is state]
            body.append(lines(mine, f"{trials.colour(family)} {'' if state else 'faint'}"))
    winner = next((slot for slot in curves if slot.number == trials.winner), None)
    if winner is not None:
        body.append(lines([_curve(winner, x, y)], "best"))
    of_first = f", in the first of {folds} folds" if folds else ""
    alt = f"{trials.metric} after each epoch of {plural(len(shown), 'slot')}{of_first}."
    if winner is not None:
        first, last = winner.curve[0], winner.curve[-1]
        alt += f" The winner goes from {number(first[1])} at epoch {first[0]} to {number(last[1])} at epoch {last[0]}."
    return figure(body, _FRAME, alt=alt, x=x, y=y, x_name="epoch", y_name=trials.metric, whole=True)


def point_scale(trials: Trials, slots: Sequence[Slot], frame: Frame) -> Scale:
    """Return the scale for slots with a value: by the complete ones, once there are enough to tell how far they spread."""
    complete = [slot.value for slot in slots if slot.complete and slot.value is not None]
    values = complete if len(complete) >= _ENOUGH else [slot.value for slot in slots if slot.value is not None]
    return value_scale(trials, values, frame)


def value_scale(trials: Trials, values: Sequence[float], frame: Frame) -> Scale:
    """Return the scale from the best value to the worst but a quarter, so that a few broken slots do not flatten the rest."""
    ordered = sorted(values, reverse=trials.direction == "maximize")
    best, worst = ordered[0], ordered[min(len(ordered) - 1, int(0.75 * len(ordered)))]
    if trials.default is not None and trials.default.value is not None:
        worst = min(worst, trials.default.value, key=lambda value: trials.sign * value)
    low, high = min(best, worst), max(best, worst)
    margin = 0.06 * (high - low) or abs(high) * 0.05 or 0.5
    # Every metric that is maximized ends at 1, and none that is minimized is below 0.
    least, most = (0.0 if low >= 0 else -math.inf), (1.0 if trials.sign > 0 and high <= 1 else math.inf)
    return replace(upward(frame, low - margin, high + margin), least=least, most=most)


def sample(items: Sequence[T], most: int) -> list[T]:
    """Return the first half of `most` and an even sample of the rest, in their order."""
    if len(items) <= most:
        return list(items)
    head = most // 2
    step = (len(items) - head) / (most - head)
    return [*items[:head], *(items[head + int(place * step)] for place in range(most - head))]


def best_line(complete: Sequence[Slot], sign: float) -> list[float]:
    """Return the best value up to each of these slots."""
    values = [slot.value for slot in complete if slot.value is not None]
    return list(accumulate(values, max if sign > 0 else min))


def _points(done: Sequence[Slot], trials: Trials, where: Callable[[Slot], Point]) -> Iterable[str]:
    for state in (False, True):
        for family in trials.families:
            mine = [where(slot) for slot in done if slot.family == family and slot.complete is state]
            yield dots(mine, f"{trials.colour(family)} {'' if state else 'faint'}")


def _default_line(trials: Trials, y: Scale) -> Iterable[str]:
    if trials.default is not None and trials.default.value is not None:
        height = y.at(trials.default.value)
        yield straight(_FRAME.left, height, _FRAME.width - _FRAME.right, height, "default")


def _named(slot: Slot, place: Point, trials: Trials) -> str:
    title = f"slot {slot.number}, {slot.family}: {trials.metric} {number(slot.value)} after {duration(slot.ended)}"
    return ring(*place, "winner" if slot.number == trials.winner else "touch", title)


def _place(slot: Slot, over: str) -> float:
    return slot.number if over == "slot" else slot.ended


def _unit(seconds: float) -> tuple[float, str]:
    if seconds < 180:
        return 1.0, "seconds of searching"
    return (60.0, "minutes of searching") if seconds < 10_800 else (3600.0, "hours of searching")


def _curve(slot: Slot, x: Scale, y: Scale) -> list[Point]:
    step = -(-len(slot.curve) // _MOST_STEPS)
    thinned = [*slot.curve[:-1:step], slot.curve[-1]]
    return [(x.at(epoch), y.at(value)) for epoch, value in thinned]
