"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

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
