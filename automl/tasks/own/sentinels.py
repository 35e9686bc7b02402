"""A number that may stand for a missing one: -999 far from all other values. It is only warned of, since it may be a value too."""

from __future__ import annotations

import re

import numpy as np

_NINES = re.compile(r"-?99+")
_LEAST, _MOST = 0.01, 0.5
"""Share of the known cells: fewer are an outlier."""
_FAR = 5
"""Interquartile ranges of the other values, between these and the number."""


def doubt_of(values: np.ndarray) -> str:
    """What is to be said of a column's numbers (rows,), NaN where one is missing; nothing where none of them is suspicious."""
    known = values[np.isfinite(values)]
    for number in {known.min(), known.max()} if len(known) else ():
        others = known[known != number]
        count = len(known) - len(others)
        if not _NINES.fullmatch(f"{number:.15g}") or not _LEAST <= count / len(known) <= _MOST:
            continue
        low, high = np.quantile(others, (0.25, 0.75))
        gap = max(others.min() - number, number - others.max())
        if high > low and gap > _FAR * (high - low):
            return (
                f"{number:.15g} occurs {count:,} times and lies far from all other values; if it means that none is known, "
                f"leave those cells empty"
            )
    return ""
