"""`automl doctor`: show what was found, and end with an exit code that a script can read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli.examples import examples
from automl.cli.options import Json
from automl.cli.output import clean, print_json, print_lines

if TYPE_CHECKING:
    from rich.table import Table

    from automl.doctor import Finding

_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
_COLOURS = {"ok": "green", "note": "yellow", "problem": "bold red"}


@examples("automl doctor", "automl doctor --repair", "automl doctor --json")
def doctor(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="First rebuild each search's broken Optuna file from its ledger; the old file is kept."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check versions, devices, disk, searches and MLflow; each problem comes with a hint.

    Exit code 0 without problems, 5 with one in what is stored, 1 with any other.
    """
    from dataclasses import asdict

    from automl.doctor import examine, exit_code
    from automl.doctor import repair as rebuild
    from automl.ledger import Home

    home = Home.from_environment()
    repaired = list(rebuild(home)) if repair else []
    findings = list(examine(home))
    code = exit_code(findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        print_json({"ok": code == 0, "findings": found, **({"repaired": repaired} if repair else {})})
    else:
        if repair:
            print_lines(repaired or ["nothing to repair"])
        _print(findings)
        _print_advice(findings)
    raise typer.Exit(code)


def _print(findings: Sequence[Finding]) -> None:
    if not sys.stdout.isatty():
        width = max((len(finding.name) for finding in findings), default=0)
        print_lines([f"{_MARKS[f.state]:<9}{f.section:<10}{f.name:<{width}}  {f.found}" for f in findings])
        return
    from rich.console import Console

    Console().print(_table(findings))


def _table(findings: Sequence[Finding]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    for header in ("", "section", "what", "found"):
        table.add_column(header, overflow="fold", no_wrap=header in ("", "section"))
    section = ""
    for finding in findings:
        if section and finding.section != section:
            table.add_section()
        mark = Text(_MARKS[finding.state], style=_COLOURS[finding.state])
        said = finding.section if finding.section != section else ""
        section = finding.section
        table.add_row(mark, said, Text(clean(finding.name)), Text(clean(finding.found)))
    return table


def _print_advice(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.hint:
            print_lines([f"{finding.state}: {finding.name}: {finding.hint}"])
    problems = sum(finding.state == "problem" for finding in findings)
    print_lines([f"{problems} problem{'s' * (problems != 1)}" if problems else "no problems"])
