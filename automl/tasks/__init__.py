"""Tasks: what is to be learned. Built-in ones are one file each; a name or path becomes a Task in `load_task`."""

from automl.tasks.catalog import builtin_tasks, lacking, load_again, load_task, require_package
from automl.tasks.cells import Cells, Stored, joined, take
from automl.tasks.own.choices import Choices
from automl.tasks.task import Column, Rows, Task

__all__ = [
    "Cells",
    "Choices",
    "Column",
    "Rows",
    "Stored",
    "Task",
    "builtin_tasks",
    "joined",
    "lacking",
    "load_again",
    "load_task",
    "require_package",
    "take",
]
