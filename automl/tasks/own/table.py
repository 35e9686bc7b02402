"""A task from a table in a file: read once, infer what each column is, hold the rows until the search takes them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.errors import ConfigError, DataError
from automl.tasks.own.cells import moments, read_whole, require_column, shared, typed
from automl.tasks.own.choices import Choices
from automl.tasks.own.columns import infer_column
from automl.tasks.own.forecast import forecast_task
from automl.tasks.own.long import long_task
from automl.tasks.own.names import safe_name
from automl.tasks.own.target import Target, find_target, read_target, steered_by
from automl.tasks.own.wide import Wide, find_series
from automl.tasks.task import Cells, Column, Rows, Task

FEWEST_ROWS = 20
FOLDS_BELOW = 2000
"""Rows below which one validation part is too small to choose by."""


def table_task(path: Path, choices: Choices) -> Task:
    """Return the task of predicting a column of the table at `path`.

    The file is read here, since all its cells decide what a column is. Raises DataError with file, column and row for what
    cannot be learned from, ConfigError for choices that do not fit the file.
    """
    source = str(path)
    _check(source, choices)
    table = read_whole(path, choices.encoding)
    name = find_target(source, table.column_names, choices.target)
    for chosen in (*choices.columns, choices.group, choices.time_column, choices.id):
        require_column(source, chosen, table.column_names)
    if table.num_rows < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows ({table.num_rows} < {FEWEST_ROWS}). Add rows.")
    if choices.kind == "forecast":
        return forecast_task(path, table, name, choices)
    if choices.id is not None:
        return long_task(path, table, name, choices, FOLDS_BELOW)
    target = read_target(source, name, table[name], choices.kind)
    if int(target.known.sum()) < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows with a target ({int(target.known.sum())} < {FEWEST_ROWS}). Add rows.")
    inferred = tuple(_inferred(source, table, each, choices) for each in table.column_names if each != name)
    fixed = frozenset(filter(None, (choices.group, choices.time_column)))
    wide = find_series(source, table, inferred, fixed, choices.input)
    columns = tuple(column for column in inferred if column.kind != "left out")
    if not columns:
        why = "; ".join(f"{column.name}: {column.why}" for column in inferred[:5])
        raise DataError(f"{source}: no column is left to learn from ({why}).")
    rows = _rows(source, table, columns if wide is None else wide, target, choices)
    only_text = len(columns) == 1 and columns[0].kind == "text"
    return Task(
        name=safe_name(choices.name or path.stem, "table"),
        title=f"Predict {name} from {path.name}.",
        kind=target.kind,
        input_kind="series" if wide is not None else "text" if only_text else "table",
        target=name,
        objectives=steered_by(choices.metric, target.objectives, target.kind),
        read=lambda: rows,
        source=source,
        shape=() if wide is None else (1, wide.form.steps),
        columns=inferred if wide is None else wide.columns,
        series=None if wide is None else wide.form,
        evaluation="folds" if len(rows) < FOLDS_BELOW and choices.time_column is None else "holdout",
        choices={"path": str(path.absolute()), **asdict(choices)},
        why=target.why,
        given="" if wide is None else wide.why,
    )


def _check(source: str, choices: Choices) -> None:
    """Raise ConfigError for choices that contradict each other."""
    if choices.horizon is not None and choices.kind != "forecast":
        raise ConfigError(f"{source}: --horizon says how far a forecast goes. Add --kind forecast, or leave it out.")
    if choices.input == "table" and (choices.id is not None or choices.kind == "forecast"):
        what = "--id makes" if choices.id is not None else "--kind forecast needs"
        raise ConfigError(f"{source}: {what} series of rows; leave out --input table.")


def _inferred(source: str, table: pa.Table, name: str, choices: Choices) -> Column:
    if name == choices.group:
        return Column(name, "left out", "says which rows belong together")
    try:
        return infer_column(name, table[name], choices.columns.get(name))
    except DataError as error:
        raise DataError(f"{source}: {error}") from None


def _rows(source: str, table: pa.Table, columns: tuple[Column, ...] | Wide, target: Target, choices: Choices) -> Rows:
    known = np.flatnonzero(target.known)
    cells: Cells | np.ndarray
    if isinstance(columns, Wide):
        names, cells = columns.form.columns, columns.values[known]
    else:
        cells = {column.name: typed(source, table[column.name], column)[known] for column in columns}
        names = tuple(cells)
    group = None if choices.group is None else shared(table[choices.group])[known].astype(str)
    lost = len(target.known) - len(known)
    notes = (f"{lost} rows without a target were left out.",) if lost else ()
    moment = None if choices.time_column is None else moments(source, table, choices.time_column)[0][known]
    return Rows(cells, names, target.values, group, moment, notes)
