"""A test part of series that a person gives: long rows with a target, and the rows that follow those a forecast learns from.

Infers nothing: columns are found by name and read as those of the training file were.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import CellError, Forecast, Series, moments_in, words
from automl.errors import DataError
from automl.sources.table import listed
from automl.tasks.cells import Cells
from automl.tasks.own.choices import Choices
from automl.tasks.own.given import FEWEST_ROWS, require_answers, test_table, unknown_columns
from automl.tasks.own.reading import cells_as, groups_in, shared_text
from automl.tasks.own.stacked import constant, ordered
from automl.tasks.own.target import Target, read_answers
from automl.tasks.own.windows import lines_of, windows
from automl.tasks.task import Column, Rows


def given_long(
    path: Path,
    train: Path,
    form: Series,
    target: Target,
    columns: tuple[Column, ...],
    ids: Sequence[str],
    choices: Choices,
) -> Rows:
    """Return the series of a test file; `ids` are those of the training file. Raises DataError with file, column and row."""
    source, group = str(path), choices.group
    needed = (*form.raw_columns, target.name, *([group] if group else []))
    table = test_table(path, train, needed, choices)
    cells = _cells(source, table, form, columns)
    names, places = ordered(source, cells, form.id, form.time, form.formats)
    first = constant(source, target.name, shared_text(table[target.name]), names, places)
    answers = read_answers(source, target, table[target.name].take(first), first)
    require_answers(source, answers, target.kind, "series")
    groups = None
    if group is not None:
        said = shared_text(table[group])
        groups = groups_in(said[constant(source, group, said, names, places)])
    both = sorted(set(ids) & set(names))
    notes = (
        (f"{source}: {len(both)} of {len(names)} series have an id that is in {train} too: {listed(both)}.",)
        if both
        else ()
    )
    more = unknown_columns(source, table, train, columns, needed)
    return Rows(form.gather(cells)[1], (), answers, groups, notes=(*notes, *more))


def given_windows(
    path: Path, train: Path, form: Forecast, learned: Cells, columns: tuple[Column, ...], choices: Choices
) -> Rows:
    """Return the windows whose predicted steps are all in a test file; their past reaches back into the rows that were `learned` from.

    Raises DataError with file, column and row; also for a row at a time that a training row of its series has.
    """
    source = str(path)
    table = test_table(path, train, form.raw_columns, choices)
    cells = _cells(source, table, form, columns)
    names, _ = ordered(source, cells, form.id, form.time, form.formats)
    joined = {name: np.concatenate([learned[name], cells[name]]) for name in cells}
    n_learned = len(learned[form.columns[0]])
    when = joined[form.time] if form.time else np.arange(float(len(joined[form.columns[0]])))
    try:
        lines = lines_of(form, joined, when, n_learned)
    except CellError as error:
        place = (
            f"{source}: row {error.row - n_learned + 1}" if error.row >= n_learned else f"{train}: row {error.row + 1}"
        )
        other = train if error.row >= n_learned else source
        raise DataError(
            f"{place} is at a time that a row of {other} has too. Rows to test with follow those that are learned from; another "
            f"series needs another id (--id)."
        ) from None
    rows = windows(source, form, lines, FEWEST_ROWS)
    notes = [f"{source}: {note[0].lower()}{note[1:]}" for note in rows.notes]
    if form.id:
        alone = sorted(set(names) - set(words(learned[form.id])))
        notes += (
            [f"{source}: {len(alone)} of {len(names)} series are not in {train}: {listed(alone)}."] if alone else []
        )
    more = unknown_columns(source, table, train, columns, form.raw_columns)
    return Rows(rows.features, rows.columns, rows.target, moment=rows.moment, notes=(*notes, *more))


def _cells(source: str, table: pa.Table, form: Series | Forecast, columns: tuple[Column, ...]) -> Cells:
    """Ids as text, times as numbers, and channels as the training file's were read."""
    meanings = {column.name: column for column in columns}
    cells: dict[str, np.ndarray] = {form.id: shared_text(table[form.id])} if form.id else {}
    if form.time:
        try:
            times = {form.time: shared_text(table[form.time])}
            cells[form.time] = moments_in(times, form.time, form.formats, form.utc, form.time_spelling)
        except CellError as error:
            raise DataError(f"{source}: {error}. Correct it.") from None
    for name in form.columns:
        cells[name] = cells_as(source, table[name], meanings.get(name, Column(name, "number")))
    return cells
