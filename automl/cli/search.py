"""`automl search`: parse, call `automl.run.search`, print the summary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli import complete
from automl.cli.examples import examples
from automl.cli.options import (
    ColumnKinds,
    Encoding,
    FamiliesFrom,
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
from automl.cli.output import print_facts, print_json
from automl.cli.summary import summary
from automl.config import DEFAULT_TRIALS, PRUNERS, SAMPLERS
from automl.errors import ConfigError, Stopped

if TYPE_CHECKING:
    from automl.config import SearchConfig
    from automl.ledger import Header
    from automl.tasks import Task


@examples(
    "automl search digits",
    "automl search churn.csv --target churned --time 10m",
    "automl search train.csv --target churned --test test.csv",
    "automl search pictures/ --time 10m",
    "automl search moves.csv --target move --id film --time-col t",
    "automl search sales.csv --target sold --kind forecast --horizon 14",
    "automl search digits --families mlp,cnn --trials 100 --workers 4",
    "automl search diabetes --time 2m --set mlp.lr=1e-4..1e-2",
)
def search(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="A table (.csv, .tsv, .parquet, .jsonl, .feather) with --target; a folder whose sub-folders are classes of "
            "pictures (.png, .jpg, .bmp) or of texts (.txt); a task file (.yaml); or a built-in task, see `automl tasks`.",
            show_default=False,
            autocompletion=complete.tasks,
        ),
    ],
    target: Target = None,
    test: Test = None,
    families: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Families, separated by commas; all that fit when left out.",
            autocompletion=complete.families,
        ),
    ] = "",
    trials: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help=f"Slots to spend over all families. Default {DEFAULT_TRIALS} without --time.",
            envvar="AUTOML_TRIALS",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="TIME", help="Wall time of the whole command: 90s, 10m, 1h30m.", envvar="AUTOML_TIME"
        ),
    ] = None,
    devices: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="auto, cpu, or GPU numbers: 0,1.",
            envvar="AUTOML_DEVICES",
            autocompletion=complete.devices,
        ),
    ] = "auto",
    workers: Annotated[
        str | None,
        typer.Option(metavar="N", help="Worker processes; by default one per device.", envvar="AUTOML_WORKERS"),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help=", ".join(SAMPLERS) + ".",
            envvar="AUTOML_SAMPLER",
            autocompletion=complete.samplers,
        ),
    ] = "tpe",
    pruner: Annotated[
        str,
        typer.Option(
            metavar="NAME", help=", ".join(PRUNERS) + ".", envvar="AUTOML_PRUNER", autocompletion=complete.pruners
        ),
    ] = "auto",
    max_epochs: Annotated[
        str, typer.Option(metavar="N", help="Most epochs of one trial.", envvar="AUTOML_MAX_EPOCHS")
    ] = "30",
    metric: Metric = None,
    seed: Annotated[str, typer.Option(metavar="N", help="Seed of the search.", envvar="AUTOML_SEED")] = "0",
    kind: Kind = None,
    column: ColumnKinds = None,
    group: Group = None,
    time_col: TimeCol = None,
    encoding: Encoding = "utf-8",
    input: Input = None,
    id: Id = None,
    horizon: Horizon = None,
    known: Known = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="RANGE", help="FAMILY.PARAM=VALUE or FAMILY.PARAM=LOW..HIGH; may be repeated."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the search; <task>-<seed> when left out.",
            autocompletion=complete.searches,
        ),
    ] = None,
    executor: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="local, or inline (one process, for debugging).",
            autocompletion=complete.executors,
        ),
    ] = "local",
    families_from: FamiliesFrom = None,
    stall_timeout: Annotated[
        str, typer.Option(metavar="TIME", help="Silence after which a worker counts as hung.")
    ] = "10m",
    tracking: Annotated[
        bool, typer.Option(help="Record in MLflow, which is the default.", envvar="AUTOML_TRACKING", show_default=False)
    ] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse to resume under other code or versions.")] = False,
    as_json: Json = False,
) -> None:
    """Search the hyperparameters of a task; the same command again resumes it."""
    from automl.config import make_config, parse_seconds
    from automl.tasks import load_task

    with _naming_the_variable(context):
        seconds = parse_seconds(time) if time is not None else None
        config = make_config(
            families=tuple(part.strip() for part in families.split(",") if part.strip()),
            budget={"trials": _whole("--trials", trials), "seconds": seconds},
            devices=devices,
            workers=_whole("--workers", workers),
            sampler=sampler,
            pruner=pruner,
            max_epochs=_whole("--max-epochs", max_epochs),
            metric=metric,
            seed=_whole("--seed", seed),
            overrides=_assignments(set_ or []),
            executor=executor,
            families_from=families_from,
            stall_timeout=parse_seconds(stall_timeout, "--stall-timeout"),
            tracking=tracking,
            strict=strict,
        )
    choices = choices_from(target, kind, column, group, time_col, encoding, test, input, id, horizon, known)
    run_and_print(load_task(task, choices), config, name, as_json=as_json)


def run_and_print(task: str | Task, config: SearchConfig, name: str | None, *, as_json: bool) -> None:
    """Run a search under the live view, then print its document or its summary."""
    from automl.cli import BEGAN
    from automl.cli.live import live_view
    from automl.run import search as run_search

    with live_view(quiet=as_json) as view:
        try:
            document = run_search(task, config, name=name, observer=view, started=BEGAN)
        except Stopped as stopped:
            stopped.hint = stopped.hint or "The same command again resumes."
            raise
    if as_json:
        print_json(document)
    else:
        print_facts(summary(document, _header(document["search"])))


def _header(name: str) -> Header | None:
    from automl.ledger import Home, open_to_read

    with closing(open_to_read(Home.from_environment().existing(name))) as ledger:
        return ledger.header()


@contextmanager
def _naming_the_variable(context: typer.Context) -> Iterator[None]:
    """Blame the variable of the environment, not its flag, for a wrong value that came from there."""
    try:
        yield
    except ConfigError as error:
        flag, _, rest = str(error).partition(" ")
        for option in context.command.params:
            source = context.get_parameter_source(option.name or "")
            if flag in option.opts and source is not None and source.name == "ENVIRONMENT":
                raise ConfigError(f"{option.envvar} {rest}", hint=error.hint) from None
        raise


def _whole(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"{flag} must be a whole number, but got {text!r}.") from None


def _assignments(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise ConfigError(f"--set takes FAMILY.PARAM=VALUE or FAMILY.PARAM=LOW..HIGH, but got {text!r}.")
        pairs[key.strip()] = value.strip()
    return pairs
