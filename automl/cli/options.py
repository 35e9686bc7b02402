"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli import complete
from automl.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from automl.tasks import Choices

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
FamiliesFrom = Annotated[
    str | None,
    typer.Option(
        "--families-from",
        metavar="FOLDER",
        help="A folder with search_spaces/ and lightning_modules/ of your own.",
        envvar="AUTOML_FAMILIES_FROM",
    ),
]
Target = Annotated[str | None, typer.Option(metavar="COL", help="Column of the table to predict.")]
Kind = Annotated[
    str | None, typer.Option(metavar="KIND", help="classification, regression or forecast; the first two are inferred.")
]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Metric that steers; the task's own when left out.", autocompletion=complete.metrics
    ),
]
ColumnKinds = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COL=KIND",
        help="number, category, date, text or 'left out', instead of what was inferred; may be repeated.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Rows with equal values here stay in one part, such as a patient's."),
]
TimeCol = Annotated[
    str | None,
    typer.Option(
        "--time-col",
        metavar="COL",
        help="When a row was: the newest rows become the test part. With --id or --kind forecast it orders a series.",
    ),
]
Test = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A table, or a folder, whose rows are the test part; left out, a fifth of all rows is set apart.",
        autocompletion=complete.files,
    ),
]
Input = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="series or table: whether a row whose columns are numbered steps is a series; inferred when left out.",
    ),
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="COL", help="Which series a row is of: all rows of one id make one series."),
]
Horizon = Annotated[str | None, typer.Option(metavar="N", help="Steps that a forecast predicts; with --kind forecast.")]
Known = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COL",
        help="A column that is known for the steps that a forecast predicts, such as a price; may be repeated.",
    ),
]
Encoding = Annotated[str, typer.Option(metavar="NAME", help="Of a CSV file.")]


def choices_from(
    target: str | None,
    kind: str | None,
    column: list[str] | None,
    group: str | None,
    time_col: str | None,
    encoding: str,
    test: str | None = None,
    input: str | None = None,
    id: str | None = None,
    horizon: str | None = None,
    known: list[str] | None = None,
) -> Choices:
    """What these options say about a file. Raises ConfigError for a kind that there is not, and a horizon that is no number."""
    from automl.tasks import Choices

    _require_one_of("--kind", kind, ("classification", "regression", "forecast"))
    _require_one_of("--input", input, ("series", "table"))
    if horizon is not None and (not horizon.isdecimal() or int(horizon) < 1):
        raise ConfigError(f"--horizon must be a whole number of steps, 1 or more, but got {horizon!r}. Example: 12.")
    steps = None if horizon is None else int(horizon)
    columns = _columns(column or [])
    ahead = tuple(known or ())
    return Choices(
        target, kind, columns, group, time_col, encoding, test=test, input=input, id=id, horizon=steps, known=ahead
    )


def _require_one_of(flag: str, word: str | None, known: tuple[str, ...]) -> None:
    if word is not None and word not in known:
        listed = f"{', '.join(known[:-1])} or {known[-1]}"
        raise ConfigError(f"{flag} is {listed}, but got {word!r}.{did_you_mean(word, known)}")


def _columns(texts: list[str]) -> dict[str, str]:
    if not texts:
        return {}
    from automl.tasks.own.columns import KINDS  # pyarrow: a tenth of a second

    chosen = {}
    for text in texts:
        name, equals, kind = text.rpartition("=")
        if not equals or kind not in KINDS:
            raise ConfigError(
                f"--column takes COL=KIND with KIND one of {', '.join(KINDS)}, but got {text!r}.{did_you_mean(kind, KINDS)}"
            )
        chosen[name] = kind
    return chosen
