"""A task from a folder: pictures or texts, by what lies in its sub-folders."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from automl.errors import ConfigError, DataError
from automl.sources import pictures, texts
from automl.sources.folders import Folder, of_kind, open_folder
from automl.tasks.own.choices import Choices
from automl.tasks.own.pictures import picture_task
from automl.tasks.own.texts import text_task
from automl.tasks.task import Task

_FLAGS = {
    "target": "--target",
    "kind": "--kind",
    "columns": "--column",
    "group": "--group",
    "time_column": "--time-col",
    "encoding": "--encoding",
    "input": "--input",
    "id": "--id",
    "horizon": "--horizon",
    "known": "--known",
}


def folder_task(path: Path, choices: Choices) -> Task:
    """Return the task of telling a folder's sub-folders apart, each of which is a class.

    Raises ConfigError for choices that only a table has, DataError for a folder that nothing can be learned from.
    """
    _refuse(path, replace(choices, encoding=Choices.encoding))
    folder = open_folder(path)
    if _holds_texts(folder):
        return text_task(folder, choices)
    _refuse(path, choices)
    return picture_task(folder, choices)


def _holds_texts(folder: Folder) -> bool:
    """What there is more of. Raises DataError where there is neither."""
    files = [file for each in folder.inside.values() for file in each]
    counts = {kind: len(of_kind(files, kind)) for kind in (pictures.SUFFIXES, texts.SUFFIXES)}
    if files and not any(counts.values()):
        kinds = ", ".join((*pictures.SUFFIXES, *texts.SUFFIXES))
        raise DataError(
            f"{folder.path}: no pictures and no texts ({kinds}) in its sub-folders. For a table give the file itself."
        )
    return counts[texts.SUFFIXES] > counts[pictures.SUFFIXES]


def _refuse(path: Path, choices: Choices) -> None:
    """A folder has no columns, and its classes are its sub-folders."""
    plain = asdict(Choices())
    for name, value in asdict(choices).items():
        if value != plain[name] and name not in ("name", "metric", "test", "tokens", "file", "beside"):
            raise ConfigError(
                f"{path}: is a folder, whose sub-folders are the classes: {_FLAGS.get(name, name)} does not apply. Leave it out."
            )
