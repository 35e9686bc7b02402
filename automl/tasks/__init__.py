"""Tasks: what is to be learned. Built-in ones are one file each; a name or path becomes a Task in `load_task`."""

from automl.tasks.catalog import builtin_tasks, load_task
from automl.tasks.task import Rows, Task

__all__ = ["Rows", "Task", "builtin_tasks", "load_task"]
