"""`automl tasks`: what can be searched."""

from __future__ import annotations

from typing import Annotated

import typer

from automl.cli.output import print_json, print_lines, print_table

app = typer.Typer(help="Tasks: what is to be learned.", no_args_is_help=True)


@app.command("list")
def list_tasks(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
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
def show_task(
    name: Annotated[str, typer.Argument(help="A built-in task.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
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
