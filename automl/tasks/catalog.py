"""From a name to a Task. Built-in tasks are the files beside this one that define TASK."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from automl.errors import ConfigError, did_you_mean
from automl.tasks._packaged import package_folder
from automl.tasks.own.choices import Choices
from automl.tasks.own.tokens import require_tokenizers, with_tokens
from automl.tasks.task import Task

_NOT_TASKS = {"catalog", "cells", "metrics", "own", "task"}


def builtin_tasks() -> tuple[str, ...]:
    """Names of the built-in tasks, sorted; imports none of them."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return tuple(sorted(name for name in found if name not in _NOT_TASKS and not name.startswith("_")))


def load_task(name: str, choices: Choices | None = None) -> Task:
    """Return the built-in task of that name, or the one that `choices` make of a file of one's own.

    Raises ConfigError with the nearest known name, and for choices beside a built-in task.
    """
    known = builtin_tasks()
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml"):
        from automl.tasks.own.taskfile import read_task_file

        return _own(*read_task_file(path, choices or Choices()))
    if name in known and not path.suffix:
        if choices is not None and choices != Choices():
            raise ConfigError(
                f"'{name}' is a built-in task, whose target and columns are fixed. Give a file of your own."
            )
        task = importlib.import_module(f"automl.tasks.{name}").TASK
        assert isinstance(task, Task)
        return task
    if path.suffix or path.exists():
        return _own(path, choices or Choices())
    raise ConfigError(
        f"Unknown task {name!r}. Tasks: {', '.join(known)}, or a file or folder.{did_you_mean(name, known)}"
    )


def lacking(task: Task) -> str:
    """Return how to install the package that bundles a built-in task's rows; empty where nothing is missing."""
    return f"pip install {task.needs}" if task.needs and package_folder(task.needs) is None else ""


def require_package(task: Task) -> None:
    """Raise ConfigError where the package that bundles a built-in task's rows is not installed."""
    if how := lacking(task):
        raise ConfigError(
            f"Task '{task.name}' reads rows that the package {task.needs} bundles; it is not installed.", hint=how
        )


def _own(path: Path, choices: Choices) -> Task:
    require_tokenizers(path, choices)
    if path.is_dir():
        from automl.tasks.own.folder import folder_task

        task = folder_task(path, choices)
    else:
        from automl.tasks.own.table import table_task  # pyarrow: a tenth of a second that built-in tasks need not spend

        task = table_task(path, choices)
    return with_tokens(task, choices).steered_by(choices.metric)


def load_again(name: str, choices: dict[str, Any]) -> Task:
    """Return the task that a search was begun with, from what the search remembers of it."""
    if not choices:
        return load_task(name)
    return load_task(choices["path"], Choices(**{key: value for key, value in choices.items() if key != "path"}))
