"""Tasks: what is to be learned. Built-in ones are one file each; a name or path becomes a Task in `load_task`."""

from automl.tasks.catalog import builtin_tasks, lacking, load_again, load_task, require_package
from automl.tasks.own.choices import Choices
from automl.tasks.task import Cells, Column, Rows, Task

__all__ = [
    "Cells",
    "Choices",
    "Column",
    "Rows",
    "Task",
    "builtin_tasks",
    "lacking",
    "load_again",
    "load_task",
    "require_package",
]
