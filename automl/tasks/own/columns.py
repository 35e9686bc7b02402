"""What a column holds, judged from all its cells: number, category, date or text; or nothing that can be learned from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from automl.encoding import BLANKS, DURATION, ISO, SPACELESS, is_overflow, number_in
from automl.errors import DataError
from automl.sources.table import as_text, plain_numbers
from automl.tasks.own.dates import as_date, as_day_numbers, nearly_dates
from automl.tasks.own.pieces import are_made_of_words
from automl.tasks.own.sentinels import doubt_of
from automl.tasks.own.spelling import example, is_amount, spelling_of
from automl.tasks.task import Column

KINDS = ("number", "category", "date", "text", "left out")
_MOSTLY = 0.95
_ENOUGH = 0.5
"""Of numbers, where a person says that a column holds them."""
_ODD_WORDS = 20
"""Different words that a column of numbers may hold besides numbers."""
_GAP_WORDS = 3
_MANY, _MANY_SHARE = 20, 0.3
"""Different numbers, beside which up to half of the cells may be such words; their share where all are whole."""
_SAMPLE = 2000
_TWO_WORDS = 1.5
"""In the mean; fewer are names without spaces."""
_EXACT = 15
"""Digits up to which float64 tells whole numbers apart."""
_ID = re.compile(r"(.*[_\W])?(id|uuid|guid|index|key|no|nr|number)|.*(Id|ID|UUID)|unnamed.*|column_\d+", re.IGNORECASE)

_NAMING = frozenset({"id", "code", "zip", "plz", "postal", "key", "zipcode", "postcode"})
_NAME_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_FEWEST_NAMED = 3
"""Different whole numbers; two are a yes and a no."""


def infer_column(name: str, cells: pa.ChunkedArray, chosen: str | None = None) -> Column:
    """Return what a column is taken for; `chosen` is a person's word, which is only checked."""
    if chosen is None and (plain := plain_numbers(cells)) is not None:
        return Column(name, "number", "numbers", doubt=doubt_of(plain))
    text = pc.utf8_trim_whitespace(as_text(cells))
    known = pc.drop_null(pc.if_else(pc.equal(text, ""), None, text))
    if chosen is not None:
        return _chosen(name, known, chosen)
    if len(known) == 0:
        return Column(name, "left out", "all cells are missing")
    levels = pc.count_distinct(known).as_py()
    if levels == 1 and len(known) == len(cells):
        return Column(name, "left out", f"all cells are {known[0].as_py()[:40]!r}")
    if pa.types.is_temporal(cells.type):
        if pa.types.is_time(cells.type):
            return Column(name, "date", "a time of day in the file", ("%H:%M:%S", "%H:%M:%S.%f"))
        return Column(name, "date", "a date in the file", (ISO,))
    number = None if _is_code(known, cells.type) else _as_number(name, known)
    if number is not None:
        if (days := as_day_numbers(name, known)) is not None:
            return days
        return _unless_name(_unless_id(number, known, levels, len(cells)), known, levels)
    return as_date(name, known) or _as_duration(name, known) or _as_words(name, known, levels, nearly_dates(known))


def _chosen(name: str, known: pa.ChunkedArray, kind: str) -> Column:
    if kind == "number":
        found = _as_number(name, known, share=_ENOUGH)
        if found is None:
            raise DataError(f"column '{name}' was set to number, but {_first_word(known)!r} is none.")
        words = found.why.partition("; ")[2]
        why = "as you said" + (f"; {words}" if words else "")
        return Column(name, "number", why, blanks=found.blanks, spelling=found.spelling, doubt=found.doubt)
    if kind == "date":
        found = as_date(name, known) or as_day_numbers(name, known)
        if found is None:
            raise DataError(
                f"column '{name}' was set to date, but its cells are in no known format ({known[0].as_py()!r})."
            )
        return replace(found, why="as you said")
    return Column(name, kind, "as you said")


def _as_number(name: str, known: pa.ChunkedArray, share: float = _MOSTLY) -> Column | None:
    """A column of numbers, which are so large a share of its cells; the rest are few different words."""
    spelling, written = "", ""
    try:
        values = pc.cast(known, pa.float64()).to_numpy()
        blanks: tuple[str, ...] = ()
    except pa.ArrowInvalid:
        sample = known[:_SAMPLE].to_pylist()
        spelling = spelling_of(sample)
        odd = np.isinf([number_in(cell, (), spelling) for cell in sample])
        if odd.mean() > 2 * (1 - share) + 0.02 and not _are_gaps([sample[place] for place in np.flatnonzero(odd)]):
            return None
        cells = known.to_pylist()
        spelling = spelling_of(cells)
        written = f", written as {example(cells, spelling)[:40]}" if spelling else ""
        values = np.array([number_in(cell, (), spelling) for cell in cells])
        odd = np.isinf(values)
        blanks = tuple(sorted({cells[place] for place in np.flatnonzero(odd) if not is_overflow(cells[place])}))
        numbers = np.isfinite(values).sum()
        if _are_gaps(blanks) and _are_many(values[np.isfinite(values)]):
            share = min(share, _ENOUGH)
        if numbers < share * (numbers + odd.sum()) or len(blanks) > _ODD_WORDS or not numbers:
            return None
    whole = ("whole numbers" if np.all(np.mod(values[np.isfinite(values)], 1) == 0) else "numbers") + written
    if blanks:
        return Column(
            name,
            "number",
            f"{whole}; {np.isinf(values).mean():.1%} are words ({', '.join(blanks[:3])}), taken as missing",
            blanks=blanks,
            spelling=spelling,
            doubt=doubt_of(values),
        )
    return Column(name, "number", whole, spelling=spelling, doubt=doubt_of(values))


def _are_gaps(words: Sequence[str]) -> bool:
    """Whether a few words, none with a digit, are all that stands beside numbers, as of cells for which nothing is known."""
    found = set(words)
    return 0 < len(found) <= _GAP_WORDS and not any(character.isdigit() for word in found for character in word)


def _are_many(numbers: np.ndarray) -> bool:
    """Whether numbers differ as measured ones do: those of codes are whole and few."""
    levels = len(np.unique(numbers))
    return levels >= _MANY and (levels >= _MANY_SHARE * len(numbers) or bool((np.mod(numbers, 1) != 0).any()))


def _as_duration(name: str, known: pa.ChunkedArray) -> Column | None:
    """A number of seconds, written as 84:06:09; what is a time of day in each cell is a date."""
    for cells in (known[:_SAMPLE].to_pylist(), known.to_pylist()):
        found = {cell for cell in cells if cell.lower() not in BLANKS}
        if len(found) < 2 or not all(np.isfinite(number_in(cell, (), DURATION)) for cell in found):
            return None
    return Column(name, "number", f"durations, written as {cells[0][:40]}", spelling=DURATION)


def _unless_id(column: Column, known: pa.ChunkedArray, levels: int, rows: int) -> Column:
    """Whole numbers that differ in every row and count up, or whose name says so, only name the row."""
    is_measured = column.blanks or is_amount(column.spelling)
    if not column.why.startswith("whole numbers") or is_measured or levels < rows or rows < 3:
        return column
    values = np.array([number_in(cell, (), column.spelling) for cell in known.to_pylist()])
    if values.max() - values.min() == rows - 1:
        return Column(column.name, "left out", "numbers the rows")
    if _ID.fullmatch(column.name):
        return Column(column.name, "left out", "an id: its name says so, and no value occurs twice")
    return column


def _unless_name(column: Column, known: pa.ChunkedArray, levels: int) -> Column:
    """Whole numbers that repeat, under a name such as store_id, name something: their order and differences mean nothing."""
    is_whole = column.kind == "number" and column.why.startswith("whole numbers") and not column.blanks
    if not is_whole or not _FEWEST_NAMED <= levels <= len(known) / 2:
        return column
    if _NAMING.isdisjoint(word.lower() for word in _NAME_WORD.findall(column.name)):
        return column
    if not pc.all(pc.match_substring_regex(known, r"^\d+$")).as_py():
        return column
    return Column(column.name, "category", f"{levels} whole numbers that name something, as the column's name says")


def _is_code(known: pa.ChunkedArray, kind: pa.DataType) -> bool:
    """Digits that name something: all of one length and some beginning with 0, as of a postcode; or too long for a number."""
    if pa.types.is_floating(kind):
        return False
    length = pc.min_max(pc.utf8_length(known)).as_py()
    padded = length["min"] == length["max"] > 2 and pc.any(pc.match_substring_regex(known, r"^0\d+$")).as_py()
    exact = length["max"] <= _EXACT or not pc.any(pc.match_substring_regex(known, rf"^\d{{{_EXACT + 1},}}$")).as_py()
    return bool((padded or not exact) and pc.all(pc.match_substring_regex(known, r"^\d+$")).as_py())


def _as_words(name: str, known: pa.ChunkedArray, levels: int, but: str) -> Column:
    share = levels / len(known)
    words = _words_in_the_mean(known[:_SAMPLE])
    if words >= 3 and levels > 20 and share > 0.3:
        return Column(name, "text", f"{words:.0f} words in the mean, {levels} different")
    if words < _TWO_WORDS and levels > 20 and share > 0.5 and are_made_of_words(known[:_SAMPLE].to_pylist()):
        return Column(name, "text", f"names made of words: {levels} different")
    if share > 0.95 and len(known) >= 20:
        if words >= 2:
            return Column(name, "text", f"{words:.0f} words in the mean, {levels} different")
        return Column(name, "left out", f"an id: {levels} different words in {len(known)} rows{but}")
    return Column(name, "category", f"{levels} different words{_numbers_among(known)}{but}")


def _words_in_the_mean(known: pa.ChunkedArray) -> float:
    """One more than there are spaces; of scripts without spaces, two characters are about a word."""
    spaces = pc.mean(pc.count_substring_regex(known, r"\s+")).as_py()
    characters = pc.mean(pc.count_substring_regex(known, f"[{SPACELESS}]")).as_py()
    return float(1 + spaces + max(0.0, characters / 2 - 1))


def _numbers_among(known: pa.ChunkedArray) -> str:
    """What a person who expects a number wants to know of a column that holds both."""
    sample = [number_in(cell) for cell in known[:_SAMPLE].to_pylist()]
    share = float(np.isfinite(sample).mean())
    return f"; {share:.0%} of its cells are numbers" if 0 < share < 1 else ""


def _first_word(known: pa.ChunkedArray) -> str:
    return next((cell for cell in known.to_pylist() if np.isinf(number_in(cell))), "")
