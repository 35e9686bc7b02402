"""How cells are spelled: words that mean a gap, and numbers as programs or people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

BLANKS = frozenset(
    {
        "",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "?",
        "-",
        "--",
        ".",
        "<na>",
        "nat",
        "missing",
        "#n/a",
        "#na",
        "#null!",
        "#value!",
        "#div/0!",
    }
)
"""Words, in lower case, that mean a missing number or date."""
_OVERFLOW = re.compile(r"[+-]?(\d[\d.]*e[+-]?\d+|\d+(\.\d*)?|inf(inity)?)", re.IGNORECASE)
DURATION = ":"
"""The spelling of 84:06:09, in seconds; of 84:06 in what the second part counts."""
REQUIRED = ("%", "‰")
"""Signs that each number must have: without, 50 % and 0.5 look alike."""
_LASTING = re.compile(r"[+-]?(\d{1,9})((:[0-5]\d){1,2})(\.\d{1,9})?", re.ASCII)
_SPACES = re.compile(r"\s+")


def number_in(cell: object, blanks: Sequence[str] = (), spelling: str = "") -> float:
    """NaN for a missing cell, infinity for one that is no number.

    `spelling` is empty for text as programs write numbers. Otherwise it is the decimal mark, `.` or `,`, and then the sign that
    stands before or behind the numbers, such as `$` or `%`, if any: then thousands may be divided, and brackets, or a minus behind
    decimals, mean a minus. `DURATION` alone is for hours, minutes and seconds.
    """
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in BLANKS or text in blanks:
            return math.nan
        if spelling == DURATION:
            return _lasting(text)
        if spelling:
            return _written(text, spelling)
        try:
            return float(text) if "_" not in text else math.inf
        except ValueError:
            return math.inf
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return math.nan if cell != cell else math.inf


def _written(text: str, spelling: str) -> float:
    """A number as people write it; infinity for what is none."""
    found = _pattern(spelling).fullmatch(_SPACES.sub(" ", text))
    if found is None:
        return math.inf
    signs = (found["before"] is not None) + (found["behind"] is not None)
    minus = sum(found[place] is not None for place in ("minus", "inner", "after", "open"))
    if signs > 1 or minus > 1 or (found["open"] is None) != (found["close"] is None):
        return math.inf
    if (spelling[1:] in REQUIRED and not signs) or (found["after"] and not found["fraction"]):
        return math.inf  # 2- is a grade
    whole = "".join(character for character in found["whole"] if character.isdigit())
    value = float(f"{whole or 0}.{found['fraction'] or 0}{found['power'] or ''}")
    is_negative = (found["open"] or found["after"]) is not None or (found["minus"] or found["inner"]) in ("-", "−")
    return -value if is_negative else value


def _lasting(text: str) -> float:
    """Hours, minutes and seconds, or two of them; infinity for what is no duration."""
    if _LASTING.fullmatch(text) is None:
        return math.inf
    value = 0.0
    for part in text.lstrip("+-").split(":"):
        value = 60 * value + float(part)
    return -value if text.startswith("-") else value


@lru_cache(maxsize=256)
def _pattern(spelling: str) -> re.Pattern[str]:
    """Spaces are single ones here: a run of them in a cell from a stranger must not cost more than its length."""
    mark, sign = re.escape(spelling[0]), re.escape(spelling[1:]) or "(?!)"
    between = "[.,'’ ]".replace(spelling[0], "")
    whole = rf"(?P<whole>[1-9]\d{{0,2}}(?P<between>{between})\d{{3}}(?:(?P=between)\d{{3}})*|\d*)"
    if spelling[1:] in ("₹", "INR"):
        whole = whole.replace("|", r"|[1-9]\d?(?:,\d\d)+,\d{3}|", 1)  # 1,23,456
    number = rf"(?={mark}?\d){whole}(?:{mark}(?P<fraction>\d*))?(?P<power>[eE][+-]?\d+)?"
    return re.compile(
        rf"(?P<open>\()? ?(?P<minus>[+−-])? ?(?P<before>{sign})? ?(?P<inner>[+−-])? ?"
        rf"{number} ?(?P<behind>{sign})?(?P<after>[−-])? ?(?P<close>\))?"
    )


def is_overflow(text: str | None) -> bool:
    """Whether a cell such as `1e400` or `inf` is spelled as a number that is not finite: a mistake, not a word."""
    return bool(text and _OVERFLOW.fullmatch(text) and math.isinf(number_in(text)))
