"""`automl tasks`: what can be searched."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli import complete
from automl.cli.examples import examples, with_examples
from automl.cli.options import (
    ColumnKinds,
    Encoding,
    Group,
    Horizon,
    Id,
    Input,
    Json,
    Kind,
    Known,
    Metric,
    Target,
    Test,
    TimeCol,
    choices_from,
)
from automl.cli.output import print_facts, print_json, print_lines, print_table, shortened
from automl.errors import ConfigError

if TYPE_CHECKING:
    from automl.tasks import Rows, Task

_NAME = 40
"""Characters of a column's name that are shown whatever the width of the terminal."""

app = typer.Typer(
    help=with_examples(
        "Tasks: what is to be learned.", "automl tasks list", "automl tasks init churn.csv --target churned"
    ),
    no_args_is_help=True,
)


@app.command("list")
@examples("automl tasks list", "automl tasks list --json")
def list_tasks(as_json: Json = False) -> None:
    """List the built-in tasks. Some read rows that another package bundles: where it is missing, the last column says how to get it."""
    from automl.tasks import builtin_tasks, lacking, load_task

    found = [load_task(name) for name in builtin_tasks()]
    rows = [
        (task.name, task.input_kind, "forecast" if task.horizon else task.kind, task.metric, task.title, lacking(task))
        for task in found
    ]
    header = ("task", "inputs", "kind", "metric", "title", "needs")
    if as_json:
        print_json([dict(zip(header, row, strict=True)) for row in rows])
    elif any(row[-1] for row in rows):
        print_table(rows, header)
    else:
        print_table([row[:-1] for row in rows], header[:-1])


@app.command("show")
@examples(
    "automl tasks show digits",
    "automl tasks show churn.csv --target churned",
    "automl tasks show churn.yaml --json",
)
def show_task(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A built-in task, a table with --target, or a task file (.yaml).",
            autocompletion=complete.tasks,
        ),
    ],
    target: Target = None,
    test: Test = None,
    kind: Kind = None,
    column: ColumnKinds = None,
    group: Group = None,
    time_col: TimeCol = None,
    encoding: Encoding = "utf-8",
    input: Input = None,
    id: Id = None,
    horizon: Horizon = None,
    known: Known = None,
    metric: Metric = None,
    as_json: Json = False,
) -> None:
    """Show one task: what was inferred from a file and why, its metrics, and which families would be searched."""
    from automl.tasks import load_task

    choices = choices_from(target, kind, column, group, time_col, encoding, test, input, id, horizon, known)
    task = load_task(name, choices).steered_by(metric)
    facts = _facts(task)
    if as_json:
        print_json(facts)
        return
    print_facts(
        [f"{key:<12}{_spelled(value)}" for key, value in facts.items() if key not in ("columns", "warnings") and value]
    )
    if columns := facts.get("columns"):
        print_lines(["", "columns"])
        left = shutil.get_terminal_size().columns - max(len(one["why"]) for one in columns) - len("    taken for  ")
        names = [shortened(one["name"], max(left, _NAME)) for one in columns]
        told = [(f"  {name}", one["kind"], one["why"]) for name, one in zip(names, columns, strict=True)]
        print_table(told, ("  name", "taken for", "why"))
    if warnings := facts.get("warnings"):
        print_lines(["", "warnings"])
        print_facts([f"  {warning}" for warning in warnings])


@app.command("init")
@examples(
    "automl tasks init churn.csv --target churned",
    "automl tasks init churn.csv --target churned --out tasks/churn.yaml",
)
def init_task(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A table: .csv, .tsv, .parquet, .jsonl or .feather.",
            autocompletion=complete.files,
        ),
    ],
    target: Target = None,
    test: Test = None,
    kind: Kind = None,
    column: ColumnKinds = None,
    group: Group = None,
    time_col: TimeCol = None,
    encoding: Encoding = "utf-8",
    input: Input = None,
    id: Id = None,
    horizon: Horizon = None,
    known: Known = None,
    metric: Metric = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write here; beside you as <name>.yaml when left out.",
            autocompletion=complete.files,
        ),
    ] = None,
) -> None:
    """Write a task file: what was inferred from a table, to be corrected by hand and searched as `automl search FILE`."""
    from automl.data.durable import storage_errors
    from automl.tasks import load_task
    from automl.tasks.own.taskfile import SUFFIXES, task_file

    choices = choices_from(target, kind, column, group, time_col, encoding, test, input, id, horizon, known)
    task = load_task(file, choices).steered_by(metric)
    if not task.columns:
        raise ConfigError(f"{file!r} is no table, from which a task file can be made.")
    out = out or Path(f"{task.name}.yaml")
    if out.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"--out must end in {' or '.join(SUFFIXES)}, but got '{out}'.")
    text = task_file(task, out.parent, _learned(task.read()))
    with storage_errors("write", out):
        try:
            with open(out, "x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            raise ConfigError(f"{out} is there already. Delete it, or name another file with --out.") from None
    used = sum(column.kind != "left out" for column in task.columns)
    print_facts(
        [
            f"{out}: {task.word} of {task.target} by {task.metric}, {used} of {len(task.columns)} columns",
            f"next: automl search {shlex.quote(str(out))}",
        ]
    )


def _facts(task: Task) -> dict[str, Any]:
    return {**_declared(task), **(_inferred(task) if task.choices else {})}


def _declared(task: Task) -> dict[str, Any]:
    from automl.catalog import families_for
    from automl.tasks import lacking

    return {
        "task": task.name,
        "title": task.title,
        "kind": task.word,
        "inputs": task.input_kind,
        "shape": list(task.shape),
        "target": task.target,
        "objectives": [f"{metric} ({direction})" for metric, direction in task.objectives],
        "source": task.source,
        **({"needs": how} if (how := lacking(task)) else {}),
        "families": list(families_for(task.reads, task.name)),
        "columns": [{"name": one.name, "kind": one.kind, "why": one.why} for one in task.columns],
    }


def _inferred(task: Task) -> dict[str, Any]:
    """What only a look at a person's file tells."""
    from automl.data.audit import audit

    rows = task.read()
    return {
        "why": task.why,
        "given": task.given,
        "rows": _learned(rows),
        **({} if rows.test is None else {"test": task.choices["test"], "test_rows": int(rows.test.sum())}),
        "group": task.choices.get("group"),
        "time_column": task.choices.get("time_column"),
        "id": task.choices.get("id"),
        "horizon": task.choices.get("horizon"),
        "known": list(task.choices.get("known") or ()) or None,
        "warnings": [warning for warning in audit(rows, task) if not warning.startswith("Left out:")],
    }


def _learned(rows: Rows) -> int:
    """Rows that are not of a test part that was given."""
    return len(rows) if rows.test is None else int((~rows.test).sum())


def _spelled(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
