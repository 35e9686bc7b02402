"""From a name to a Task. Built-in tasks are the files beside this one that define TASK."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from automl.errors import ConfigError, did_you_mean
from automl.tasks.task import Task

_NOT_TASKS = {"catalog", "metrics", "task"}


def builtin_tasks() -> tuple[str, ...]:
    """Names of the built-in tasks, sorted; imports none of them."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return tuple(sorted(name for name in found if name not in _NOT_TASKS and not name.startswith("_")))


def load_task(name: str) -> Task:
    """Return the task called `name`. Raises ConfigError with the nearest known name."""
    known = builtin_tasks()
    if name in known:
        task = importlib.import_module(f"automl.tasks.{name}").TASK
        assert isinstance(task, Task)
        return task
    if Path(name).suffix or Path(name).exists():
        raise ConfigError(
            f"Task {name!r} looks like a file, and this version searches built-in tasks only: {', '.join(known)}."
        )
    raise ConfigError(f"Unknown task {name!r}. Tasks: {', '.join(known)}.{did_you_mean(name, known)}")
