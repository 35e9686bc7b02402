"""What the parameters did: importance bars, a slice per parameter, parallel coordinates. Draws one family at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from automl.report.importance import Importance
from automl.report.progress import point_scale, sample
from automl.report.slots import Slot, Trials
from automl.report.svg import Frame, Point, Scale, bar, dots, figure, lines, ring, straight, words
from automl.report.text import number, plural, setting

MOST_POINTS = 240
"""Of a slice: the best slots and an even sample of the others."""
MOST_LINES = 160
MOST_AXES = 10
_TOP_SHARE = 0.1
_PANEL = Frame(width=220, height=184, left=54, right=12, top=30, bottom=40)
_BARS_LEFT, _BARS_RIGHT, _BAR_STEP = 130, 340, 26
_AXIS_STEP, _AXES_TOP, _AXES_HEIGHT = 92, 52, 300
_LEAST_WIDTH = 760
"""Of parallel coordinates: a page stretches them to its width, and the words with them."""
_CHARACTER = 7.4
"""Width of a letter of a tick, in units."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a parameter's values lie along an axis: a scale for numbers, a place each for choices."""

    scale: Scale
    choices: tuple[str, ...] = ()

    def at(self, value: Any) -> float:
        """Return the place of a value."""
        return self.scale.at(self.choices.index(str(value)) if self.choices else value)

    def ticks(self, about: int, room: float) -> list[tuple[float, str]]:
        """Return values and their names; names are cut to fit into `room` units together."""
        if not self.choices:
            return self.scale.named_ticks(about)
        most = max(1, int(room / len(self.choices) / _CHARACTER))
        return [
            (place, name if len(name) <= most else f"{name[: most - 1]}…") for place, name in enumerate(self.choices)
        ]


def reach(distribution: Mapping[str, Any] | None, values: Sequence[Any], start: float, end: float) -> Reach:
    """Return a parameter's axis over its whole range, and over values beyond it (a default that was clipped, an older space)."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        known = [str(choice) for choice in (distribution or {}).get("choices", ())]
        choices = tuple(dict.fromkeys([*known, *sorted(map(str, values))]))
        return Reach(Scale(-0.5, len(choices) - 0.5, start, end), choices)
    low, high = min(values), max(values)
    if distribution is not None and "low" in distribution:
        low, high = min(low, distribution["low"]), max(high, distribution["high"])
        log = bool(distribution["log"])
    else:
        log = low > 0 and high / low > 100
    return Reach(Scale(low, high, start, end, log and low > 0))


def importance_bars(found: Sequence[Importance], metric: str) -> Markup:
    """Return a bar per parameter; faint ones may be chance."""
    if not found:
        return Markup("")
    frame = Frame(width=440, height=_BAR_STEP * len(found) + 12)
    longest = max(0.25, found[0].share)
    body = []
    for place, one in enumerate(found):
        y = 8 + _BAR_STEP * place
        width = (_BARS_RIGHT - _BARS_LEFT) * one.share / longest
        body.append(words(_BARS_LEFT - 10, y + 14, one.parameter, "tick end", most=20))
        body.append(bar(_BARS_LEFT, y + 2, max(width, 1), 16, "bar" if one.clear else "bar faint"))
        note = f"{100 * one.share:.0f} %" if one.clear else "may be chance"
        body.append(words(_BARS_LEFT + max(width, 1) + 8, y + 14, note, "tick"))
    said = ", ".join(f"{one.parameter} {100 * one.share:.0f} %" for one in found if one.clear) or "none clearly"
    return figure(body, frame, alt=f"Share of the differences in {metric} that each parameter explains: {said}.")


def slices(trials: Trials, space: Mapping[str, Any], names: Sequence[str], colour: str) -> list[Markup]:
    """Return a small figure per parameter: each slot's value against the parameter's."""
    done = [slot for slot in trials.ranked if slot.value is not None]
    if not done:
        return []
    y = point_scale(trials, done, _PANEL)
    having = {name: sample([slot for slot in done if name in slot.params], MOST_POINTS) for name in names}
    return [_slice(name, mine, trials, space.get(name), y, colour) for name, mine in having.items() if mine]


def parallel_coordinates(trials: Trials, space: Mapping[str, Any], names: Sequence[str]) -> Markup:
    """Return a line per slot across its parameters and its value; the best tenth stand out."""
    names = names[:MOST_AXES]
    done = [slot for slot in trials.ranked if slot.value is not None]
    if not names or len(done) < 2:
        return Markup("")
    step = max(_AXIS_STEP, (_LEAST_WIDTH - 190) // len(names))
    frame = Frame(step * len(names) + 190, _AXES_TOP + _AXES_HEIGHT + 24)
    places = [60 + step * place for place in range(len(names) + 1)]
    axes = [_vertical(space.get(name), [slot.params[name] for slot in done if name in slot.params]) for name in names]
    value = point_scale(trials, done, frame)
    axes.append(Reach(replace(value, start=_AXES_TOP + _AXES_HEIGHT, end=_AXES_TOP)))
    shown = sample(done, MOST_LINES)
    top = max(3, round(_TOP_SHARE * len(done)))
    best, rest = [slot for slot in shown if slot in done[:top]], [slot for slot in shown if slot not in done[:top]]
    body = [
        lines((line for slot in rest for line in _across(slot, names, axes, places)), "thin"),
        lines((line for slot in best for line in _across(slot, names, axes, places)), "top"),
        *_axes([*names, trials.metric], axes, places),
    ]
    alt = f"{plural(len(shown), 'slot')} as lines across {', '.join(names)} and {trials.metric}; the best {top} stand out."
    return figure(body, frame, alt=alt)


def _slice(
    name: str,
    mine: Sequence[Slot],
    trials: Trials,
    distribution: Mapping[str, Any] | None,
    y: Scale,
    colour: str,
) -> Markup:
    axis = reach(distribution, [slot.params[name] for slot in mine], _PANEL.left + 6, _PANEL.width - _PANEL.right)

    def where(slot: Slot) -> Point:
        aside = ((slot.number * 7) % 11 - 5) * 1.4 if axis.choices else 0.0  # points of one choice beside each other
        return axis.at(slot.params[name]) + aside, y.at(slot.value or 0.0)

    body = [
        words(4, 14, name, "title", most=28),
        dots([where(slot) for slot in mine if not slot.complete], f"{colour} faint small"),
        dots([where(slot) for slot in mine if slot.complete], f"{colour} small"),
        *(
            ring(*where(slot), "winner", f"winner: {name}={setting(slot.params[name])}")
            for slot in mine
            if slot.number == trials.winner
        ),
    ]
    best = next((slot for slot in mine if slot.complete), mine[0])
    alt = f"{trials.metric} against {name}; the best, {number(best.value)}, at {setting(best.params[name])}."
    room = 2 * (_PANEL.width - _PANEL.left - _PANEL.right)  # choices stand on two levels
    for order, (tick, text) in enumerate(axis.ticks(3, room)):
        level = 13 if axis.choices and order % 2 else 0
        body.append(words(axis.scale.at(tick), _PANEL.height - _PANEL.bottom + 17 + level, text, "tick middle"))
    return figure(body, _PANEL, alt=alt, x=axis.scale, y=y, x_ticks=(), about=3)


def _vertical(distribution: Mapping[str, Any] | None, values: Sequence[Any]) -> Reach:
    return reach(distribution, values, _AXES_TOP + _AXES_HEIGHT, _AXES_TOP)


def _across(
    slot: Slot, names: Sequence[str], axes: Sequence[Reach], places: Sequence[float]
) -> Iterable[Sequence[Point]]:
    """The line of a slot, broken where it lacks a parameter."""
    pieces: list[list[Point]] = [[]]
    for name, axis, x in zip(names, axes, places, strict=False):
        if name in slot.params:
            pieces[-1].append((x, axis.at(slot.params[name])))
        else:
            pieces.append([])
    pieces[-1].append((places[-1], axes[-1].at(slot.value)))
    return pieces


def _axes(names: Sequence[str], axes: Sequence[Reach], places: Sequence[float]) -> Iterable[str]:
    for order, (name, axis, x) in enumerate(zip(names, axes, places, strict=True)):
        yield straight(x, _AXES_TOP, x, _AXES_TOP + _AXES_HEIGHT, "axis")
        yield words(x, 16 if order % 2 == 0 else 34, name, "title middle", most=26)  # on two levels: long names fit
        for tick, text in axis.ticks(4, 1000.0):
            yield words(x + 6, axis.scale.at(tick) + 4, text, "tick halo", most=14)
