"""Whether a table's rows are series, a column per step: by the columns' names, and by how much neighbours are alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from automl.encoding import Series, number_in
from automl.errors import DataError
from automl.sources.scratch import empty_array
from automl.tasks.own.reading import cells_as, shared_text
from automl.tasks.task import Column

FEWEST_STEPS = 16
LONGEST = 512
"""Steps that a model reads; of longer series the means of neighbouring steps."""
_ALIKE = 0.3
"""Correlation of neighbouring steps, the least that counts."""
_CLEAR = 4.0
"""Standard deviations by which it must exceed what the same columns show in any other order."""
_FAINT, _MANY = 0.1, 64
"""So alike are neighbours that noise or quick waves hide: enough where there are so many steps, and the three that follow hold."""
_VERY_CLEAR = 20.0
"""As `_CLEAR`."""
_THROUGHOUT = 0.95
"""Share of all neighbours that correlate positively: columns in groups do not where one group ends."""
_SAME_SCALE = 2.0
"""The largest standard deviation of a step over the smallest."""
_ORDERS = 50
_SAMPLE = 500
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")
_TIMES = re.compile(r"(.*[_\W])?(t|ts|time|step|timestep|lag|sec|second|minute|hour|day)[_\W]?", re.IGNORECASE)
_PICTURES = re.compile(r"(.*[_\W])?(pixel|pix|px)[_\W]?", re.IGNORECASE)


@dataclass(frozen=True)
class Wide:
    """Columns that are the steps of a series."""

    form: Series
    columns: tuple[Column, ...]
    """All of the table but the target: steps, and what is left out."""
    values: np.ndarray
    """(rows, steps)"""
    why: str


def find_series(
    source: str, table: pa.Table, columns: Sequence[Column], fixed: frozenset[str], chosen: str | None
) -> Wide | None:
    """Return the series that a table's rows are, or None for a table like any other.

    `columns` are all but the target as they were inferred; those that are `fixed` (a group, a time) are never steps. Unless a
    person chose `series`, all that is left to learn from must be steps: 16 or more numbers, named by one stem and consecutive
    whole numbers, and more alike the nearer they are. Raises DataError where a person chose it and there are no two such columns.
    """
    if chosen == "table":
        return None
    free = [column for column in columns if column.name not in fixed and not column.spelling]
    steps = _numbered([column for column in free if _may_be_step(column, table[column.name])])
    others = [c.name for c in columns if c.kind != "left out" and c not in steps]
    if chosen == "series":
        steps = steps if len(steps) > 1 else [column for column in free if column.kind == "number"]
        if len(steps) < 2:
            raise DataError(
                f"{source}: --input series needs two or more columns of plain numbers, one per step of the series."
            )
    elif others or not _are_named_as_steps(steps):
        return None
    as_numbers = [Column(column.name, "number", blanks=column.blanks) for column in steps]
    values = _values(source, table, as_numbers)
    order = find_order(values, _are_named_as_times(steps))
    if chosen is None and order is None:
        return None
    names = tuple(column.name for column in steps)
    shown = tuple(
        Column(c.name, "number", f"step {names.index(c.name) + 1} of {len(names)}", blanks=c.blanks)
        if c.name in names
        else Column(c.name, "left out", c.why if c.kind == "left out" else "stands beside the steps of a series")
        for c in columns
    )
    blanks = tuple(sorted({word for column in steps for word in column.blanks}))
    form = Series(names, len(names), every=-(-len(names) // LONGEST), blanks=blanks)
    seen = "as you said" if chosen else f"numbered columns, neighbours correlate by {order:.2f}; else --input table"
    return Wide(form, shown, values, f"series of {len(names)} steps, {names[0]} to {names[-1]} ({seen})")


def but_not_alike(table: pa.Table, columns: Sequence[Column], fixed: frozenset[str], chosen: str | None) -> str | None:
    """Say of a table, for which `find_series` returned None, that its many columns are named as steps would be; None where not."""
    used = [column for column in columns if column.name not in fixed]
    steps = _numbered([column for column in used if _may_be_step(column, table[column.name])])
    if (
        chosen == "table"
        or len(steps) < _MANY  # V1 to V28 of a table like any other would be warned of each time
        or any(c.kind != "left out" and c not in steps for c in columns)
        or not _are_named_as_steps(steps)
    ):
        return None
    return (
        f"Columns {steps[0].name} to {steps[-1].name} are numbered but neighbours are not alike, so this is a table; if they are "
        f"steps of a series: --input series."
    )


def _values(source: str, table: pa.Table, steps: Sequence[Column]) -> np.ndarray:
    """(rows, steps), a step after the other, as a table on disk has them."""
    values = empty_array((len(steps), table.num_rows), np.float64)
    for place, column in enumerate(steps):
        values[place] = cells_as(source, table[column.name], column)
    return values.T


def find_order(values: np.ndarray, are_times: bool = False) -> float | None:
    """Return the mean correlation of neighbouring steps along rows (rows, steps), or None where it is not clearly there.

    Columns are standardised first, then rows: neither a column's level nor a row's counts. Columns that only share causes are as
    much alike in any other order, so the order given must stand out from 50 drawn at random. Neighbours that are faintly alike
    must be so throughout, in many steps of one scale. Of many steps whose names say that they are times (`are_times`) the order must
    only tell something: spikes that last one step make neighbours unlike.
    """
    raw = values[np.linspace(0, len(values) - 1, min(_SAMPLE, len(values))).astype(int)]
    rows = _standardised(np.nan_to_num(_standardised(raw, axis=0)), axis=1)
    varies = np.ptp(rows, axis=0) > 0
    rows, raw = rows[:, varies], raw[:, varies]
    if rows.shape[1] < 3:
        return None
    rng = np.random.default_rng(0)
    found = _along(rows)
    others = [_along(rows[:, rng.permutation(rows.shape[1])]) for _ in range(_ORDERS)]
    by_chance, spread = float(np.mean(others)), float(np.std(others))
    if found >= max(_ALIKE, by_chance + _CLEAR * spread):
        return found
    if are_times and rows.shape[1] >= _MANY and abs(found - by_chance) >= _CLEAR * spread:
        return found
    faintly = found >= max(_FAINT, by_chance + _VERY_CLEAR * spread) and rows.shape[1] >= _MANY
    return found if faintly and _is_throughout(rows) and _is_of_one_scale(raw) else None


def _is_throughout(rows: np.ndarray) -> bool:
    return bool(((rows[:, 1:] * rows[:, :-1]).mean(axis=0) > 0).mean() >= _THROUGHOUT)


def _is_of_one_scale(rows: np.ndarray) -> bool:
    scales = np.nanstd(rows, axis=0)
    return bool(scales.max() <= _SAME_SCALE * scales.min())


def _along(rows: np.ndarray) -> float:
    return float((rows[:, 1:] * rows[:, :-1]).mean())


def _standardised(values: np.ndarray, axis: int) -> np.ndarray:
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=axis, keepdims=True), 1)
    centred = values - np.where(known, values, 0.0).sum(axis=axis, keepdims=True) / count
    scale = np.sqrt(np.where(known, np.square(centred), 0.0).sum(axis=axis, keepdims=True) / count)
    return np.asarray(centred / np.where(scale > 0, scale, 1.0))


def _may_be_step(column: Column, cells: pa.ChunkedArray) -> bool:
    """A number; or one that says nothing by itself, such as a constant, and in a series must stand at its place all the same."""
    if column.kind != "left out" or column.why == "as you said" or _parts(column.name)[1] is None:
        return column.kind == "number"
    return not any(np.isinf(number_in(word)) for word in set(shared_text(cells).tolist()))


def _numbered(columns: Sequence[Column]) -> list[Column]:
    """The largest group of columns with one stem, by number."""
    groups: dict[str, dict[int, Column]] = {}
    doubled: set[str] = set()
    for column in columns:
        stem, number = _parts(column.name)
        if number is not None:
            group = groups.setdefault(stem, {})
            doubled |= {stem} if number in group else set()
            group[number] = column
    best = max((stem for stem in groups if stem not in doubled), key=lambda stem: len(groups[stem]), default=None)
    return [groups[best][number] for number in sorted(groups[best])] if best is not None else []


def _are_named_as_steps(steps: Sequence[Column]) -> bool:
    """Enough of them, consecutive, and not the pixels of a picture."""
    if len(steps) < FEWEST_STEPS or not _are_consecutive(steps):
        return False
    return not _PICTURES.fullmatch(_parts(steps[0].name)[0])


def _are_named_as_times(steps: Sequence[Column]) -> bool:
    return bool(steps) and _TIMES.fullmatch(_parts(steps[0].name)[0]) is not None


def _are_consecutive(steps: Sequence[Column]) -> bool:
    first, last = _parts(steps[0].name)[1], _parts(steps[-1].name)[1]
    return first is not None and last is not None and last - first == len(steps) - 1


def _parts(name: str) -> tuple[str, int | None]:
    found = _NUMBERED.fullmatch(name.strip())
    return (found[1], int(found[2])) if found else (name, None)
