"""Numbers as people read them: few digits, and no power of ten where a plain number is short enough."""

from __future__ import annotations

_PLAIN_BELOW = 1e9


def rounded(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """Return `digits` significant digits: 0.8123, 23.01, 139,200; a power of ten only below a ten-thousandth and from a billion on."""
    plus = "+" if signed else ""
    text = f"{value:{plus}.{digits}g}"
    return f"{float(text):{plus},.0f}" if "e+" in text and abs(value) < _PLAIN_BELOW else text
