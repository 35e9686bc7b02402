"""A task from long rows: all rows of one id, in order of time, are one series with one target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.encoding import Series
from automl.errors import ConfigError, DataError
from automl.sources.memory import require_memory
from automl.tasks.cells import Cells
from automl.tasks.own.choices import Choices
from automl.tasks.own.given_series import given_long
from automl.tasks.own.names import safe_name
from automl.tasks.own.reading import cells_as, groups_in, shared_text
from automl.tasks.own.stacked import channel_columns, constant, moments, ordered
from automl.tasks.own.target import Target, read_target, without_target
from automl.tasks.own.thousands import has_comma
from automl.tasks.own.wide import LONGEST
from automl.tasks.task import Rows, Task

FEWEST_SERIES = 20
_NEARLY_ALL = 0.95
"""Of the series are read from their first step on, where some are far longer than the rest."""


def long_task(path: Path, table: pa.Table, target: str, choices: Choices, folds_below: int) -> Task:
    """Return the task of predicting a column that is the same in all rows of an id, from the numbers in these rows.

    Raises DataError with file, column and rows where it is not the same, where two rows of an id have one time, where an id or a
    time is missing, and for fewer than 20 series; ConfigError for choices that do not fit series.
    """
    source, id, time = str(path), choices.id, choices.time_column
    assert id is not None
    if target in (id, time) or id == time:
        raise ConfigError(f"{source}: --target, --id and --time-col must be three columns.")
    ids = shared_text(table[id])
    _require_series(source, id, len(set(ids.tolist())), len(ids))
    when, formats, spelling = moments(source, table, time)
    cells: dict[str, np.ndarray] = {id: ids, **({time: when} if time else {})}
    names, places = ordered(source, cells, id, time or "", formats)
    first = constant(source, target, shared_text(table[target]), names, places)
    found = read_target(source, target, table[target].take(first), choices.kind, first)
    columns = channel_columns(source, table, choices, target)
    if has_comma(columns):
        found = read_target(source, target, table[target].take(first), choices.kind, first, comma=True)
    channels = [column for column in columns if column.kind == "number"]
    if not channels:
        why = "; ".join(f"{column.name}: {column.why}" for column in columns[:5])
        raise DataError(f"{source}: no column of numbers is left, of which series could be made ({why}).")
    cells |= {column.name: cells_as(source, table[column.name], column) for column in channels}
    lengths = np.array([len(one) for one in places])
    steps, said = _steps(lengths)
    require_memory(source, 16 * len(names) * steps * len(channels), "Take a sample of its series.")
    form = Series(
        tuple(column.name for column in channels),
        steps,
        every=-(-steps // LONGEST),
        is_long=True,
        id=id,
        time=time or "",
        formats=formats,
        utc=bool(formats),
        time_spelling=spelling,
        blanks=tuple(sorted({word for column in channels for word in column.blanks})),
    )
    rows = _rows(source, table, form, cells, places, found, choices)
    learned = len(rows)
    if choices.test is not None:
        rows = rows.with_test(given_long(Path(choices.test), path, form, found, columns, names, choices))
    order = f"in order of {time}" if time else "in the order of the file"
    listed = ", ".join(column.name for column in channels[:5]) + (", …" if len(channels) > 5 else "")
    return Task(
        name=safe_name(choices.name or path.stem, "series"),
        title=f"Predict {target} of each {id} from {path.name}.",
        kind=found.kind,
        input_kind="series",
        target=target,
        objectives=found.objectives,
        read=lambda: rows,
        source=source,
        shape=(len(channels), steps),
        columns=columns,
        series=form,
        evaluation="folds" if learned < folds_below else "holdout",
        choices=choices.remembered(path),
        why=found.why,
        given=f"series of {said} in {len(channels)} {'channel' if len(channels) == 1 else 'channels'} ({listed}), one per {id}, {order}",
    )


def _require_series(source: str, id: str, series: int, rows: int) -> None:
    if series == rows:
        raise DataError(
            f"{source}: --id '{id}' has another value in each row; a series is made of several rows of one id."
        )
    if series < FEWEST_SERIES:
        raise DataError(
            f"{source}: too few series ({series} values of '{id}' < {FEWEST_SERIES}). Add series, or predict the next steps of "
            f"each: --kind forecast --horizon STEPS."
        )


def _steps(lengths: np.ndarray) -> tuple[int, str]:
    """Return how many steps are read, and how a person is told of it."""
    longest, most = int(lengths.max()), int(np.quantile(lengths, _NEARLY_ALL, method="higher"))
    steps = longest if longest <= 1.5 * most else most
    if lengths.min() == steps == longest:
        return steps, f"{steps} steps"
    cut = f", of which the newest {steps} are read" if steps < longest else ""
    return steps, f"{lengths.min()} to {longest} steps{cut}"


def _rows(
    source: str,
    table: pa.Table,
    form: Series,
    cells: Cells,
    places: Sequence[np.ndarray],
    target: Target,
    choices: Choices,
) -> Rows:
    ids, values = form.gather(cells)
    known = np.flatnonzero(target.known)
    group = None
    if choices.group is not None:
        words = shared_text(table[choices.group])
        group = groups_in(words[constant(source, choices.group, words, ids, places)][known])
    lost = len(ids) - len(known)
    notes = (without_target(lost, "1 series", "series"),) if lost else ()
    columns = tuple(f"{name}[{step}]" for name in form.columns for step in range(-form.steps + 1, 1))
    return Rows(values[known], columns, target.values, group, notes=notes)
