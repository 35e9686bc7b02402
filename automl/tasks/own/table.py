"""A task from a table in a file: read once, infer what each column is, hold the rows until the search takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.errors import ConfigError, DataError
from automl.sources import packed
from automl.tasks.cells import Cells
from automl.tasks.own.choices import Choices
from automl.tasks.own.columns import infer_column
from automl.tasks.own.forecast import forecast_task
from automl.tasks.own.given import given_table
from automl.tasks.own.long import long_task
from automl.tasks.own.names import safe_name
from automl.tasks.own.reading import cells_by_column, groups_in, moments_of, require_column, shared_text, whole_table
from automl.tasks.own.target import Target, find_target, read_target, without_target
from automl.tasks.own.thousands import settled
from automl.tasks.own.wide import Wide, but_not_alike, find_series
from automl.tasks.task import Column, Rows, Task

FEWEST_ROWS = 20
FOLDS_BELOW = 2000
"""Rows below which one validation part is too small to choose by."""


@dataclass(frozen=True)
class Inferred:
    """What a table's cells say: what is predicted, what each other column is taken for, and the rows that can be learned from."""

    target: Target
    columns: tuple[Column, ...]
    rows: Rows
    wide: Wide | None
    """Where each row is a series."""


def table_task(path: Path, choices: Choices) -> Task:
    """Return the task of predicting a column of the table at `path`.

    The file is read here, since all its cells decide what a column is; so is a test file, of which nothing is inferred. Raises
    DataError with file, column and row for what cannot be learned from, ConfigError for choices that do not fit the file.
    """
    source = str(path)
    _check(source, choices)
    table = whole_table(path, choices.encoding, choices.unread)
    name = _require(source, table, choices)
    if choices.kind == "forecast":
        return forecast_task(path, table, name, choices)
    if choices.id is not None:
        return long_task(path, table, name, choices, FOLDS_BELOW)
    found = infer_table(source, table, choices)
    rows, target, wide = found.rows, found.target, found.wide
    folds = len(rows) < FOLDS_BELOW and choices.time_column is None
    if choices.test is not None:
        test = given_table(Path(choices.test), path, target, found.columns, choices)
        rows = rows.with_test(test if wide is None else _as_series(test, wide))
    used = [column.kind for column in found.columns if column.kind != "left out"]
    return Task(
        name=safe_name(choices.name or _stem(path), "table"),
        title=f"Predict {target.name} from {path.name}.",
        kind=target.kind,
        input_kind="series" if wide is not None else "text" if used == ["text"] else "table",
        target=target.name,
        objectives=target.objectives,
        read=lambda: rows,
        source=source,
        shape=() if wide is None else (1, wide.form.steps),
        columns=found.columns,
        series=None if wide is None else wide.form,
        evaluation="folds" if folds else "holdout",
        choices=choices.remembered(path),
        why=target.why,
        given="" if wide is None else wide.why,
    )


def _stem(path: Path) -> str:
    return Path(path.stem).stem if path.suffix.lower() in packed.SUFFIXES else path.stem


def infer_table(source: str, table: pa.Table, choices: Choices) -> Inferred:
    """Judge a table by all its cells. Raises DataError with column and row, and what errors call it, for what cannot be learned from."""
    name = _require(source, table, choices)
    target = read_target(source, name, table[name], choices.kind)
    if int(target.known.sum()) < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows with a target ({int(target.known.sum())} < {FEWEST_ROWS}). Add rows.")
    inferred = tuple(_inferred(source, table, each, choices) for each in table.column_names if each != name)
    is_number = target.kind == "regression"
    goal = Column(name, "number" if is_number else "left out", target.why, spelling=target.spelling)
    goal, *others = settled((goal, *inferred), table)
    inferred = tuple(others)
    if goal.spelling != target.spelling:
        target = read_target(source, name, table[name], choices.kind, comma=True)
    columns = tuple(column for column in inferred if column.kind != "left out")
    fixed = frozenset(filter(None, (choices.group, choices.time_column)))
    wide = find_series(source, table, inferred, fixed, choices.input)
    if not columns:
        why = "; ".join(f"{column.name}: {column.why}" for column in inferred[:5])
        raise DataError(f"{source}: no column is left to learn from ({why}).")
    rows = _rows(source, table, columns if wide is None else wide, target, choices)
    if goal.doubt:
        rows = replace(rows, notes=(*rows.notes, f"Target {name}: {goal.doubt}."))
    if wide is None and (note := but_not_alike(table, inferred, fixed, choices.input)):
        rows = replace(rows, notes=(*rows.notes, note))
    return Inferred(target, inferred if wide is None else wide.columns, rows, wide)


def _check(source: str, choices: Choices) -> None:
    """Raise ConfigError for choices that contradict each other."""
    if choices.horizon is not None and choices.kind != "forecast":
        raise ConfigError(f"{source}: --horizon says how far a forecast goes. Add --kind forecast, or leave it out.")
    if choices.known and choices.kind != "forecast":
        raise ConfigError(f"{source}: --known says what a forecast knows ahead. Add --kind forecast, or leave it out.")
    what = "--id makes" if choices.id is not None else "--kind forecast needs" if choices.kind == "forecast" else None
    if what and choices.input == "table":
        raise ConfigError(f"{source}: {what} series of rows; leave out --input table.")


def _require(source: str, table: pa.Table, choices: Choices) -> str:
    """Return the target's name. Raises DataError for columns that are not there, and for too few rows."""
    name = find_target(source, table.column_names, choices.target)
    for chosen in (*choices.columns, choices.group, choices.time_column, choices.id, *choices.known):
        require_column(source, chosen, table.column_names)
    if table.num_rows < FEWEST_ROWS:
        raise DataError(f"{source}: too few rows ({table.num_rows} < {FEWEST_ROWS}). Add rows.")
    return name


def _as_series(rows: Rows, wide: Wide) -> Rows:
    """A row's cells as the steps of a series, in their order."""
    ordered = replace(rows, columns=wide.form.columns)
    return replace(ordered, features=ordered.array())


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
        cells = cells_by_column(source, table, columns, known)
        names = tuple(cells)
    group = None if choices.group is None else groups_in(shared_text(table[choices.group])[known])
    lost = len(target.known) - len(known)
    notes = (without_target(lost, "1 row", "rows"),) if lost else ()
    moment = None
    if choices.time_column is not None:
        column = table[choices.time_column]
        moment = moments_of(source, column, infer_column(choices.time_column, column))[known]
    return Rows(cells, names, target.values, group, moment, notes)
