"""What the shell offers when a word is completed. Answers in a blink: no torch, no database, and no error ever."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from automl.config import EXECUTORS, PRUNERS, SAMPLERS

if TYPE_CHECKING:
    from automl.tasks import Task

_Words = Callable[[typer.Context, str], list[str]]


def _quietly(words: Callable[[typer.Context, str], Iterable[str]]) -> _Words:
    """A half-written command may name what does not exist: then nothing is offered."""

    @wraps(words)
    def offered(ctx: typer.Context, incomplete: str) -> list[str]:
        with contextlib.suppress(Exception):
            return list(words(ctx, incomplete))
        return []

    return offered


def _words(*known: str) -> _Words:
    return lambda ctx, incomplete: list(known)


samplers = _words(*SAMPLERS)
pruners = _words(*PRUNERS)
executors = _words(*EXECUTORS)
devices = _words("auto", "cpu")
forms = _words("safetensors", "pt2", "onnx")
files = _words()
"""Nothing of ours: the shell goes on to complete the name of a file."""


@_quietly
def tasks(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the built-in tasks."""
    from automl.tasks import builtin_tasks

    return builtin_tasks()


@_quietly
def family(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of all families, those of `--families-from` among them."""
    return _families(ctx)


@_quietly
def families(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Families that fit the task, after those that are named already: `mlp,c` becomes `mlp,cnn`."""
    before, comma, _ = incomplete.rpartition(",")
    return (f"{before}{comma}{name}" for name in _families(ctx) if name not in before.split(","))


@_quietly
def metrics(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the metrics that can steer the task; of all while no task is named."""
    from automl.tasks.metrics import METRICS

    task = _task(ctx)
    return (name for name, metric in METRICS.items() if task is None or metric.kind == task.kind)


@_quietly
def searches(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the searches of this folder."""
    from automl.ledger import Home

    return Home.from_environment().searches()


@_quietly
def models(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the models that were exported here, which are those that were registered from here; asks no MLflow."""
    return sorted(folder.name for folder in Path("exports").iterdir() if folder.is_dir())


def _families(ctx: typer.Context) -> Iterable[str]:
    from automl import catalog

    if folder := ctx.params.get("families_from"):
        catalog.add_families_from(folder)
    task = _task(ctx)
    return catalog.families_taking(task.reads) if task else catalog.families()


def _task(ctx: typer.Context) -> Task | None:
    """The task that the command names so far: typer leaves it in `args` while the last option lacks its value."""
    from automl.tasks import builtin_tasks, load_task

    name = next((word for word in (ctx.params.get("task"), *ctx.args) if word in builtin_tasks()), None)
    return load_task(name) if name else None
