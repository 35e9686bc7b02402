"""Numbers as people read them: significant digits without an exponent, thousands grouped. Knows no metric and no markup.

For what is shown only: documents and files keep every digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

DIGITS = 4
_LEAST, _MOST = 1e-4, 1e9
"""Sizes from and up to which a number is written out."""
_GROUPED = 10_000
"""From here on thousands are divided by commas: four digits are read at a glance."""
_MILLION = 1e6


def rounded(value: float, digits: int = DIGITS) -> str:
    """Return a number with at most `digits` significant digits: `0.9877`, `51.32`, `139,200`; with an exponent only beyond all habit."""
    short = f"{value + 0.0:.{digits}g}"  # the sum makes a plain 0 of -0.0
    size = abs(float(short))
    if not _LEAST <= size < _MOST:  # nothing, too small or large, or no number
        return short
    if size >= _GROUPED:
        return f"{float(short):,.0f}"
    return f"{float(short):.0f}" if "e" in short else short


def interval(low: float, high: float) -> str:
    """Return `[0.9797, 1]`; where commas divide thousands, `[108,800; 164,600]`."""
    ends = rounded(low), rounded(high)
    return f"[{('; ' if ',' in ''.join(ends) else ', ').join(ends)}]"


def gained(value: float, digits: int = DIGITS) -> str:
    """Return a difference with its sign; a plain 0 where there is none."""
    return f"{'+' if value > 0 else ''}{rounded(value, digits)}" if value else "0"


def tick_names(ticks: Sequence[float], *, is_log: bool = False) -> list[str]:
    """Return names that tell an axis's values apart: with the decimals of the step between them, from a million on as `5.2M`."""
    if is_log or len(ticks) < 2:
        return [_tick(tick) for tick in ticks]
    step, largest = min(b - a for a, b in pairwise(ticks)), max(map(abs, ticks))
    if step <= 0 or not _LEAST <= largest < 1e3 * _MOST:
        digits = 1 + (math.floor(math.log10(largest)) - _power(step) if step > 0 else DIGITS)
        return [f"{tick:.{max(0, digits - 1)}e}" if tick else "0" for tick in ticks]
    unit, sign = (_MILLION, "M") if largest >= _MILLION else (1.0, "")
    places = max(0, -_power(step / unit))
    return [fixed(tick / unit, places, sign) for tick in ticks]


def _tick(value: float) -> str:
    is_large = _MILLION <= abs(value) < 1e3 * _MOST
    return f"{rounded(value / _MILLION, 3)}M" if is_large else rounded(value, 3)


def fixed(value: float, places: int, sign: str = "") -> str:
    """Return a number with so many decimals, thousands divided as `rounded` does, and a sign behind it."""
    if not round(value, places):  # no "-0", and no "0M"
        return "0" if sign else f"{0:.{places}f}"
    text = f"{value:,.{places}f}" if abs(value) >= _GROUPED else f"{value:.{places}f}"
    return text + sign


def _power(step: float) -> int:
    """Of ten, in a step of 1, 2, 5 or 10 times it."""
    return math.floor(math.log10(step) + 1e-9)
