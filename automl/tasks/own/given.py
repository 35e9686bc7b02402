"""A test part that a person gives: rows of another file or folder, read by what the training rows taught. Infers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from automl.errors import ConfigError, DataError, did_you_mean
from automl.sources.folders import Folder, open_folder
from automl.sources.table import listed
from automl.tasks.own.choices import Choices
from automl.tasks.own.classes import Labelled, labelled
from automl.tasks.own.columns import infer_column
from automl.tasks.own.reading import cells_by_column, checked_dates, groups_in, moments_of, shared_text, whole_table
from automl.tasks.own.target import Target, read_answers
from automl.tasks.task import Column, Rows

FEWEST_ROWS = 10
"""Of a test part: fewer say next to nothing."""


def given_table(path: Path, train: Path, target: Target, columns: tuple[Column, ...], choices: Choices) -> Rows:
    """Return the rows of a test file, its columns found by name. Raises DataError with file, column and row."""
    source = str(path)
    used = [column for column in columns if column.kind != "left out"]
    needed = [name for name in (target.name, choices.group, choices.time_column) if name is not None]
    table = test_table(path, train, (*needed, *(column.name for column in used)), choices)
    answers = read_answers(source, target, table[target.name])
    require_answers(source, answers, target.kind)
    cells = cells_by_column(source, table, used, np.arange(table.num_rows))
    for column in used:
        if column.kind == "date":
            checked_dates(source, cells[column.name], column)
    group = None if choices.group is None else groups_in(shared_text(table[choices.group]))
    moment = None if choices.time_column is None else _moment(source, table, columns, choices.time_column)
    return Rows(cells, tuple(cells), answers, group, moment, unknown_columns(source, table, train, columns, needed))


def test_table(path: Path, train: Path, names: Iterable[str], choices: Choices) -> pa.Table:
    """Read a test file. Raises DataError for one that lacks a column, ConfigError for the training file itself."""
    _require_another(path, train)
    if path.is_dir():
        raise DataError(f"{path}: is a folder, but {train} is a table. The test part must be a table too.")
    table = whole_table(path, choices.encoding, choices.unread)
    for name in names:
        if name not in table.column_names:
            raise DataError(
                f"{path}: column '{name}' of {train} not found. Columns: {listed(table.column_names)}."
                f"{did_you_mean(name, table.column_names)}"
            )
    return table


def given_folder(path: Path, train: Folder, what: str, suffixes: tuple[str, ...], classes: Iterable[str]) -> Labelled:
    """Return the files of a test folder. Raises DataError for sub-folders that the training folder has not."""
    _require_another(path, train.path)
    if not path.is_dir():
        raise DataError(f"{path}: is no folder, but {train.path} is one. The test part must be a folder too.")
    found = labelled(open_folder(path), what, suffixes)
    known = set(classes)
    for name in dict.fromkeys(found.labels):
        if name not in known:
            raise DataError(
                f"{path}: sub-folder '{name}' is no class of {train.path}. Classes: {listed(sorted(known))}."
                f"{did_you_mean(name, known)}"
            )
    lost = sorted(known - set(found.labels))
    notes = (f"{path}: no {what} of {len(lost)} classes, which are not tested: {listed(lost)}.",) if lost else ()
    require_answers(str(path), np.array(found.labels), "classification")
    return Labelled(found.files, found.labels, (*(f"{path}: {note}" for note in found.notes), *notes))


def _require_another(path: Path, train: Path) -> None:
    if path.exists() and train.exists() and path.samefile(train):
        raise ConfigError(f"--test {path} is the training data itself. Give rows that are not learned from.")


def require_answers(source: str, answers: np.ndarray, kind: str, rows: str = "rows") -> None:
    """Raise DataError for fewer than ten, and for classes that are all the same."""
    if len(answers) < FEWEST_ROWS:
        raise DataError(f"{source}: too few {rows} to test with ({len(answers)} < {FEWEST_ROWS}). Add {rows}.")
    if kind == "classification" and len(set(answers.tolist())) < 2:
        raise DataError(
            f"{source}: holds one class only ({answers[0]}); a test needs {rows} of two at least. Add {rows}."
        )


def _moment(source: str, table: pa.Table, columns: tuple[Column, ...], name: str) -> np.ndarray:
    """Read as the training file's column was; one that was left out there, such as a count of rows, by its own cells."""
    known = next((column for column in columns if column.name == name), None)
    if known is None or known.kind == "left out":
        known = infer_column(name, table[name])
    return moments_of(source, table[name], known)


def unknown_columns(
    source: str, table: pa.Table, train: Path, columns: tuple[Column, ...], needed: Iterable[str]
) -> tuple[str, ...]:
    """Say which columns of the test file the training file has not."""
    names = {*needed, *(column.name for column in columns)}
    more = [name for name in table.column_names if name not in names]
    return (f"{source}: {len(more)} columns are not in {train} and were ignored: {listed(more)}.",) if more else ()
