"""Numbers, durations and foreign names as a reader sees them. Escapes no markup: the templates and `svg.py` do that."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median_low
from typing import Any

from automl.rounding import DIGITS, gained, rounded

NOTHING = "–"
"""Stands where a search that was interrupted has no value."""
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def number(value: object) -> str:
    """Return four significant digits, a whole number in full, or a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING
    if isinstance(value, float):
        return rounded(value)
    return f"{value:,}" if abs(value) >= 10_000 else str(value)


def gain(value: float) -> str:
    """Return a difference with its sign."""
    return gained(value, DIGITS - 1)


def aligned(values: Sequence[float | None]) -> list[str]:
    """Return a column of numbers with one count of decimals, so that their points stand below each other.

    The median decides how many: one diverged value of 1e30 must not take the decimals from all others.
    """
    known = [abs(value) for value in values if value is not None and value != 0]
    size = median_low(known) if known else 1.0
    if not 1e-4 <= size < 1e9:
        return [number(value) for value in values]
    places = max(0, DIGITS - math.ceil(math.log10(size)))
    return [f"{value:.{places}f}" if value is not None and abs(value) < 10_000 else number(value) for value in values]


def setting(value: Any) -> str:
    """Return a parameter's value: three significant digits are enough to tell two points apart."""
    return rounded(value, 3) if isinstance(value, float) else visible(str(value))


def duration(seconds: object) -> str:
    """Return seconds as people say them, or a dash."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def moment(milliseconds: int) -> str:
    """Return a wall-clock time, in UTC to the minute."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def plural(count: int, word: str, many: str = "") -> str:
    """Return `1 slot` or `3 slots`; `many` where adding an s is not enough."""
    return f"{count:,} {word if count == 1 else many or f'{word}s'}"


def visible(text: str) -> str:
    """Show control and bidirectional characters by their code, so that no name can reorder the text around it."""
    return _INVISIBLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
