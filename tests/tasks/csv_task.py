"""A task from a CSV that a test writes, and what its columns were taken for."""

from __future__ import annotations

from pathlib import Path

from automl.tasks import Choices, Task, load_task

HEADER = "n,w,y\n"


def rows(first: int = 0, last: int = 60) -> str:
    return "".join(f"{row}.5,{'abc'[row % 3]},{row % 2}\n" for row in range(first, last))


def loaded(folder: Path, content: str, **choices: object) -> Task:
    (folder / "d.csv").write_text(content)
    return load_task(str(folder / "d.csv"), Choices(**{"target": "y", **choices}))  # type: ignore[arg-type]


def kinds(task: Task) -> dict[str, str]:
    return {column.name: column.kind for column in task.columns}


def why(task: Task, name: str) -> str:
    return next(column.why for column in task.columns if column.name == name)
