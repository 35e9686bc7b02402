"""Inline SVG by hand: scales, axes, marks, words. Knows no search; colours and widths come from the style sheet.

Many points are one path of zero-length strokes with round caps: ten bytes a point where a circle takes eighty.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from automl.report.text import visible
from automl.rounding import tick_names

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a figure and the room around its axes, in units that are pixels at full width."""

    width: int = 440
    height: int = 270
    left: int = 60
    right: int = 18
    top: int = 30
    bottom: int = 44


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps data to places along one direction."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    least: float = -math.inf
    most: float = math.inf
    """What a value cannot be below or above: room for a point's edge is left there, but no tick is drawn."""

    def at(self, value: float) -> float:
        """Return the place of a value; beyond the ends it stays on the edge."""
        low, high, inside = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, inside = math.log(low), math.log(high), math.log(inside)
        share = (inside - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 5, *, whole: bool = False) -> list[float]:
        """Return round values between the ends, near `about` of them."""
        if self.log:
            return _log_ticks(self.low, self.high, about)
        rough = (self.high - self.low) / about
        if rough <= 0 or not math.isfinite(rough):
            return [self.low]
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
        step = max(1.0, round(step)) if whole else step
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        ticks = [place * step for place in range(first, last + 1)]
        return [tick for tick in ticks if self.least - 1e-9 <= tick <= self.most + 1e-9]

    def named_ticks(self, about: int = 5, *, whole: bool = False) -> list[tuple[float, str]]:
        """Return them with the names they have on an axis."""
        ticks = self.ticks(about, whole=whole)
        return list(zip(ticks, tick_names(ticks, is_log=self.log), strict=True))


def across(frame: Frame, low: float, high: float, *, log: bool = False) -> Scale:
    """Return a scale from left to right."""
    return Scale(low, high, frame.left, frame.width - frame.right, log)


def upward(frame: Frame, low: float, high: float) -> Scale:
    """Return a scale from the bottom to the top."""
    return Scale(low, high, frame.height - frame.bottom, frame.top)


def figure(
    body: Iterable[str],
    frame: Frame,
    *,
    alt: str,
    x: Scale | None = None,
    y: Scale | None = None,
    x_name: str = "",
    y_name: str = "",
    x_ticks: Sequence[tuple[float, str]] | None = None,
    about: int = 5,
    whole: bool = False,
) -> Markup:
    """Return a figure with its axes. `alt` says in words what is to be seen; a screen reader hears only that."""
    parts = [*_y_axis(frame, y, about), *_x_axis(frame, x, x_ticks, about, whole), *body]
    if x_name:
        parts.append(words((frame.left + frame.width - frame.right) / 2, frame.height - 7, x_name, "name middle"))
    if y_name:
        parts.append(words(4, 15, y_name, "name"))
    label = escape(visible(alt))
    return Markup(
        f'<svg viewBox="0 0 {frame.width} {frame.height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def words(x: float, y: float, text: str, css: str, *, most: int = 40) -> str:
    """Return text at a place, cut to `most` characters."""
    shown = visible(text) if len(text) <= most else f"{visible(text[: most - 1])}…"
    return f'<text class="{css}" x="{_n(x)}" y="{_n(y)}">{escape(shown)}</text>'


def dots(points: Iterable[Point], css: str) -> str:
    """Return round points, as one path."""
    path = "".join(f"M{_n(x)} {_n(y)}h0" for x, y in points)
    return f'<path class="dot {css}" d="{path}"/>' if path else ""


def lines(strokes: Iterable[Sequence[Point]], css: str) -> str:
    """Return open lines, as one path; a line of one point is left out."""
    path = "".join(_stroke(points) for points in strokes if len(points) > 1)
    return f'<path class="line {css}" d="{path}"/>' if path else ""


def stairs(points: Sequence[Point], css: str) -> str:
    """Return a line that goes right first, then up or down."""
    (x, y), rest = points[0], points[1:]
    path = f"M{_n(x)} {_n(y)}" + "".join(f"H{_n(right)}V{_n(down)}" for right, down in rest)
    return f'<path class="line {css}" d="{path}"/>'


def straight(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """Return one straight line."""
    return f'<line class="{css}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def bar(x: float, y: float, width: float, height: float, css: str) -> str:
    """Return a filled rectangle."""
    return f'<rect class="{css}" x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(height)}"/>'


def ring(x: float, y: float, css: str, title: str) -> str:
    """Return a circle around a point, with a text that shows when pointed at."""
    return f'<circle class="{css}" cx="{_n(x)}" cy="{_n(y)}" r="5"><title>{escape(visible(title))}</title></circle>'


def _y_axis(frame: Frame, y: Scale | None, about: int) -> Iterable[str]:
    if y is None:
        return
    right = frame.width - frame.right
    for tick, name in y.named_ticks(about):
        yield straight(frame.left, y.at(tick), right, y.at(tick), "grid")
        yield words(frame.left - 8, y.at(tick) + 4, name, "tick end")


def _x_axis(
    frame: Frame, x: Scale | None, named: Sequence[tuple[float, str]] | None, about: int, whole: bool
) -> Iterable[str]:
    if x is None:
        return
    bottom = frame.height - frame.bottom
    yield straight(frame.left, bottom, frame.width - frame.right, bottom, "axis")
    for tick, name in x.named_ticks(about, whole=whole) if named is None else named:
        yield words(x.at(tick), bottom + 18, name, "tick middle")


def _log_ticks(low: float, high: float, about: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        ticks = [factor * 10.0**power for power in decades for factor in factors]
        inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(inside) > 1:
            return inside[:: math.ceil(len(inside) / (about + 1))]
    return [low, high] if high > low else [low]


def _stroke(points: Sequence[Point]) -> str:
    (x, y), rest = points[0], points[1:]
    return f"M{_n(x)} {_n(y)}L" + " ".join(f"{_n(right)} {_n(down)}" for right, down in rest)


def _n(value: float) -> str:
    """A tenth of a unit is less than anyone sees."""
    return f"{round(value, 1):g}"
