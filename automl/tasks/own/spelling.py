"""How a column's numbers are written where they are written for people: 1,234.50 $, 12,5 kg or 7 %. Decides once for all cells."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

from automl.encoding import is_overflow, number_in

_MOSTLY = 0.95
_SIGNS = re.compile(
    r"US\$|R\$|[A-Z]{1,2}\$|[$€£¥₹₽₩₺₫₴₪฿%‰]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|SGD|HKD|TRY"
    r"|kr|zł)\b"
)

_UNIT = re.compile(r"\d ?(?P<unit>(?=.{1,7}$)(?!(?:[kKMGBT]|mn|bn|Mio|Mrd)\.?$)[^\W\d_]+(?:/[^\W\d_]+)?[²³]?|°[CF]?)$")
"""Behind a number. What multiplies it is none: 5k among new numbers without it would be read as 5."""


def spelling_of(cells: Iterable[str]) -> str:
    """Return how `automl.encoding.number_in` is to read these cells: the decimal mark, then the sign that stands with the numbers.

    It is empty where numbers are written as programs write them, and where there is no one way that reads nearly all: with two
    currencies or units, or a percent sign or a unit in a part of the cells, nobody knows what the numbers mean. What reads as thousands
    (1,234) is that.
    """
    distinct = dict.fromkeys(cells)
    odd = [cell for cell in distinct if math.isinf(number_in(cell)) and not is_overflow(cell) and _has_digit(cell)]
    plain = [cell for cell in distinct if math.isfinite(number_in(cell))]
    signs = {found[0] for cell in odd if (found := _SIGNS.search(cell))}
    if not signs and len(odd) >= _MOSTLY * (len(odd) + len(plain)):
        units = Counter(found["unit"] for cell in odd if (found := _UNIT.search(cell)))
        signs = {unit for unit, _ in units.most_common(1)}
    if not odd or len(signs) > 1:
        return ""
    for mark in ".,":
        spelling = mark + "".join(signs)
        read = sum(math.isfinite(number_in(cell, (), spelling)) for cell in odd)
        if read >= _MOSTLY * len(odd) and all(math.isfinite(number_in(cell, (), spelling)) for cell in plain):
            return spelling
    return ""


def is_amount(spelling: str) -> bool:
    """Whether the numbers are money or shares, which name no rows."""
    return _SIGNS.fullmatch(spelling[1:]) is not None


def example(cells: Iterable[str], spelling: str) -> str:
    """The first cell that shows the spelling."""
    return next(
        (one for one in cells if math.isinf(number_in(one)) and math.isfinite(number_in(one, (), spelling))), ""
    )


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)
