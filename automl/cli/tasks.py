"""`automl tasks`: what can be searched."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli import complete
from automl.cli.examples import examples, with_examples
from automl.cli.options import Json
from automl.cli.output import print_json, print_lines, print_table

app = typer.Typer(
    help=with_examples("Tasks: what is to be learned.", "automl tasks list", "automl tasks show digits"),
    no_args_is_help=True,
)


@app.command("list")
@examples("automl tasks list", "automl tasks list --json")
def list_tasks(as_json: Json = False) -> None:
    """List the built-in tasks."""
    from automl.tasks import builtin_tasks, load_task

    found = [load_task(name) for name in builtin_tasks()]
    rows = [(task.name, task.input_kind, task.kind, task.metric, task.title) for task in found]
    header = ("task", "inputs", "kind", "metric", "title")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(rows, header)


@app.command("show")
@examples("automl tasks show digits", "automl tasks show diabetes --json")
def show_task(
    name: Annotated[str, typer.Argument(metavar="TASK", help="A built-in task.", autocompletion=complete.tasks)],
    as_json: Json = False,
) -> None:
    """Show one task: inputs, objectives, where its rows come from and which families fit."""
    from automl.catalog import families_for
    from automl.tasks import load_task

    task = load_task(name)
    facts = {
        "task": task.name,
        "title": task.title,
        "kind": task.kind,
        "inputs": task.input_kind,
        "shape": list(task.shape),
        "target": task.target,
        "objectives": [f"{metric} ({direction})" for metric, direction in task.objectives],
        "source": task.source,
        "families": list(families_for(task.input_kind, task.name)),
    }
    if as_json:
        print_json(facts)
    else:
        print_lines([f"{key:<12}{', '.join(map(str, v)) if isinstance(v, list) else v}" for key, v in facts.items()])
