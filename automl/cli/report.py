"""`automl report`: draw the report of a search anew, or a page over all searches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli import complete
from automl.cli.examples import examples
from automl.cli.options import Json
from automl.cli.output import print_json, print_lines
from automl.errors import ConfigError


@examples("automl report digits-0", "automl report digits-0 --out digits.html", "automl report --index")
def report(
    search: Annotated[
        str | None,
        typer.Argument(
            metavar="SEARCH",
            help="See `automl searches list`.",
            show_default=False,
            autocompletion=complete.searches,
        ),
    ] = None,
    index: Annotated[bool, typer.Option("--index", help="Draw a page over all searches of this folder.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write here instead of reports/SEARCH/index.html, or reports/index.html.",
            show_default=False,
            autocompletion=complete.files,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw a search's report from its ledger, finished or not, and print where it is: one HTML file without scripts."""
    from automl.ledger import Home
    from automl.report import build_index, build_report, read_material

    if index == (search is not None):
        raise ConfigError("automl report takes the name of a search, or --index.", hint="See automl report --help.")
    home = Home.from_environment()
    if search is None:
        path = build_index(home, out or Path("reports") / "index.html")
    else:
        folder = home.existing(search)
        path = build_report(read_material(folder), out or Path("reports") / search / "index.html")
    if as_json:
        print_json({"report": str(path)})
    else:
        print_lines([str(path)])
