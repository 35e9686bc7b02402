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
Kind = Annotated[str | None, typer.Option(metavar="KIND", help="classification or regression; inferred when left out.")]
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
    typer.Option("--time-col", metavar="COL", help="When a row was: the newest rows become the test part."),
]
Test = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A table, or a folder, whose rows are the test part; left out, a fifth of TASK's rows is set apart.",
        autocompletion=complete.files,
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
) -> Choices:
    """What these options say about a file. Raises ConfigError for a kind that there is not."""
    from automl.tasks import Choices

    known = ("classification", "regression")
    if kind is not None and kind not in known:
        raise ConfigError(f"--kind is classification or regression, but got {kind!r}.{did_you_mean(kind, known)}")
    return Choices(target, kind, _columns(column or []), group, time_col, encoding, test=test)


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
