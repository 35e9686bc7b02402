"""Figures as inline SVG, written by hand: axes, lines, points. Draws what it is given and decides nothing; colours come from CSS."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 44
COLOURS = 8
"""Distinct family colours that the style sheet defines, `c0` to `c7`."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps data to pixels along one direction."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Pixel of a value; beyond the ends it stays on the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def best_so_far(slots: Sequence[Mapping[str, Any]], *, metric: str, direction: str, families: Sequence[str]) -> Markup:
    """A point per slot with a value, and a line along the best complete value so far."""
    pick = max if direction == "maximize" else min
    points = [(slot["slot"], slot["value"], slot) for slot in slots if slot.get("value") is not None]
    complete = [(place, value) for place, value, slot in points if slot["state"] == "complete"]
    if not complete:
        return Markup("")
    x = Axis(-0.5, max(place for place, _, _ in points) + 0.5, _LEFT, WIDTH - _RIGHT)
    y = _value_axis([value for _, value, _ in points], direction)
    dots = [
        f'<circle class="{_colour(slot["family"], families)} {_state(slot)}" cx="{x.at(place)}" cy="{y.at(value)}" r="3.5">'
        f"<title>{escape(_label(slot))}</title></circle>"
        for place, value, slot in points
    ]
    best = list(zip([place for place, _ in complete], accumulate([value for _, value in complete], pick), strict=True))
    line = _stairs([(x.at(place), y.at(value)) for place, value in [*best, (x.high, best[-1][1])]])
    body = [f'<path class="best" d="{line}"/>', *dots]
    return _figure(body, x, y, title=f"{metric} of each slot", across="slot", along=metric)


def learning_curves(
    slots: Sequence[Mapping[str, Any]], *, metric: str, direction: str, families: Sequence[str]
) -> Markup:
    """A line per slot over its epochs; pruned ones are faint."""
    curves = [slot for slot in slots if len(slot.get("curve") or ()) > 1]
    if not curves:
        return Markup("")
    x = Axis(1, max(slot["curve"][-1][0] for slot in curves), _LEFT, WIDTH - _RIGHT)
    y = _value_axis([value for slot in curves for _, value in slot["curve"]], direction)
    faint_first = sorted(curves, key=lambda slot: slot["state"] == "complete")
    body = [
        f'<polyline class="{_colour(slot["family"], families)} {_state(slot)}" points="'
        + " ".join(f"{x.at(step)},{y.at(value)}" for step, value in slot["curve"])
        + f'"><title>{escape(_label(slot))}</title></polyline>'
        for slot in faint_first
    ]
    return _figure(body, x, y, title=f"{metric} by epoch", across="epoch", along=metric)


def _figure(body: Sequence[str], x: Axis, y: Axis, *, title: str, across: str, along: str) -> Markup:
    grid = []
    for tick in _ticks(y.low, y.high):
        grid.append(f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{y.at(tick)}" y2="{y.at(tick)}"/>')
        grid.append(f'<text class="tick end" x="{x.start - 8}" y="{y.at(tick) + 4}">{tick:.4g}</text>')
    for tick in _ticks(x.low, x.high, whole_numbers=True):
        grid.append(f'<text class="tick middle" x="{x.at(tick)}" y="{y.start + 18}">{tick:.4g}</text>')
    axes = (
        f'<line class="axis" x1="{x.start}" x2="{x.end}" y1="{y.start}" y2="{y.start}"/>'
        f'<text class="name middle" x="{(x.start + x.end) / 2}" y="{HEIGHT - 6}">{escape(across)}</text>'
        f'<text class="name" x="4" y="{_TOP - 3}">{escape(along)}</text>'
    )
    inner = "".join([*grid, axes, *body])
    return Markup(f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{inner}</svg>')


def _value_axis(values: Sequence[float], direction: str) -> Axis:
    """From the best value to the worst but a quarter, so that a few broken trials do not flatten the rest."""
    ordered = sorted(values, reverse=direction == "maximize")
    best, worst = ordered[0], ordered[min(len(ordered) - 1, int(0.75 * len(ordered)))]
    low, high = min(best, worst), max(best, worst)
    margin = 0.06 * (high - low) or abs(high) * 0.05 or 0.5
    return Axis(low - margin, high + margin, HEIGHT - _BOTTOM, _TOP + 8)


def _ticks(low: float, high: float, *, whole_numbers: bool = False) -> list[float]:
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    if whole_numbers:
        step = max(1.0, round(step))
    first = math.ceil(low / step)
    return [place * step for place in range(first, math.floor(high / step) + 1)]


def _stairs(points: Sequence[tuple[float, float]]) -> str:
    (x, y), rest = points[0], points[1:]
    return f"M{x},{y}" + "".join(f"H{across}V{down}" for across, down in rest)


def _colour(family: str, families: Sequence[str]) -> str:
    return f"c{list(families).index(family) % COLOURS}"


def _state(slot: Mapping[str, Any]) -> str:
    return "complete" if slot["state"] == "complete" else "faint"


def _label(slot: Mapping[str, Any]) -> str:
    value = "no value" if slot.get("value") is None else f"{slot['value']:.4g}"
    return f"slot {slot['slot']}, {slot['family']}, {slot['state']}: {value}"
