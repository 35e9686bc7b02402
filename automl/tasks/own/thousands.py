"""Dots that may divide thousands: 1.570 beside 225 and 83.237. One column does not tell, but the others of its table do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from automl.sources.table import as_text
from automl.tasks.task import Column

THOUSANDS, DECIMAL = "thousands", "decimal"
_SAMPLE = 2000
_DOT = r"\d\.|\.\d"
_DIVIDED = r"^[+−-]? ?[1-9]\d{0,2}(\.\d{3})+$"


def dots_in(cells: pa.ChunkedArray, spelling: str = "") -> str:
    """What the dots of a column of numbers can mean: thousands where three digits stand behind each, else decimals; "" without dots."""
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return ""
    found = ""
    for part in (cells[:_SAMPLE], cells):
        text = pc.utf8_trim_whitespace(pc.replace_substring(as_text(part), spelling[1:], "") if spelling[1:] else part)
        if spelling[:1] == "." and pc.any(pc.match_substring(text, ",")).as_py():
            return DECIMAL
        dotted = text.filter(pc.match_substring_regex(text, _DOT))
        if not pc.all(pc.match_substring_regex(dotted, _DIVIDED), min_count=0).as_py():
            return DECIMAL
        found = THOUSANDS if len(dotted) else ""
    return found


def has_comma(columns: Iterable[Column]) -> bool:
    """Whether the numbers of a column have a decimal comma, or a dot between thousands that can be nothing else."""
    return any(column.spelling.startswith(",") for column in columns)


def settled(columns: Sequence[Column], table: pa.Table) -> tuple[Column, ...]:
    """Return the columns: where one has a decimal comma, dots divide the thousands of those that allow it.

    Where no column of the table tells, one that has such numbers beside others without a dot is doubted.
    """
    dots = {
        column.name: dots_in(table[column.name], column.spelling)
        for column in columns
        if column.kind == "number" and not column.spelling.startswith(",")
    }
    if has_comma(columns):
        return tuple(_divided(one, table) if dots.get(one.name) == THOUSANDS else one for one in columns)
    if DECIMAL in dots.values():
        return tuple(columns)
    return tuple(
        replace(one, doubt=doubt_of(table[one.name])) if dots.get(one.name) == THOUSANDS else one for one in columns
    )


def doubt_of(cells: pa.ChunkedArray) -> str:
    """What is to be said of a column whose dots may divide thousands; nothing where all cells have one, as decimals of one length."""
    text = pc.drop_null(as_text(cells))
    is_dotted = pc.match_substring_regex(text, _DOT)
    if not pc.any(pc.match_substring_regex(pc.filter(text, pc.invert(is_dotted)), r"\d")).as_py():
        return ""
    first = pc.filter(text, is_dotted)[0].as_py()
    return (
        f"{first[:40]} is read with a decimal point, but each dot has three digits behind it and may divide thousands. Write such "
        f"numbers without it"
    )


def _divided(column: Column, table: pa.Table) -> Column:
    if not column.why.startswith("as you said"):
        text = as_text(table[column.name])
        first = pc.filter(text, pc.fill_null(pc.match_substring_regex(text, _DOT), False))[0].as_py()
        words = column.why.partition("; ")[2]
        why = f"whole numbers, written as {first.strip()[:40]}" + (f"; {words}" if words else "")
        column = replace(column, why=why)
    return replace(column, spelling="," + column.spelling[1:])
