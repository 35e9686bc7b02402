"""`automl ui`: start the servers that show what was recorded, print the links, wait for Ctrl-C."""

from __future__ import annotations

import signal
import time
from typing import Annotated

import typer

from automl.cli import complete
from automl.cli.examples import examples
from automl.cli.output import print_lines, print_note
from automl.errors import StorageError


@examples("automl ui", "automl ui digits-0 --optuna", "automl ui --port 8080")
def ui(
    search: Annotated[
        str | None,
        typer.Argument(
            metavar="SEARCH",
            help="A search: also print the link that compares its runs.",
            show_default=False,
            autocompletion=complete.searches,
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="Port on 127.0.0.1; the first free one from 5000 on when left out.")
    ] = None,
    optuna: Annotated[bool, typer.Option("--optuna", help="Also start optuna-dashboard for the search.")] = False,
) -> None:
    """Show what was recorded in a browser, until Ctrl-C. A remote MLflow is not started, only linked."""
    from automl.ledger import Home
    from automl.tracking.serve import started
    from automl.tracking.ui import links, plan
    from automl.tracking.uri import obstacle

    home = Home.from_environment()
    chosen = plan(home, search, port=port, optuna=optuna)
    is_elsewhere = chosen.uri is not None and all(server.url != chosen.uri for server in chosen.servers)
    if is_elsewhere and (reason := obstacle(chosen.uri or "")):
        print_note(f"warning: nothing answers at {chosen.mlflow}: {reason}")
    if not chosen.servers:
        _print_links(links(home, chosen))
        return
    # A shell that starts us in the background has Ctrl-C ignored; a search answers it all the same, and so do we.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    names = " and ".join(server.name for server in chosen.servers)
    print_note(f"starting {names}")
    try:
        with started(chosen.servers) as processes:
            dashboards = {server.name: server.url for server in chosen.servers if server.url != chosen.mlflow}
            _print_links({**links(home, chosen), **dashboards})
            print_note("Ctrl-C ends it")
            while all(process.poll() is None for process in processes):
                time.sleep(0.2)
            gone = [
                server.name
                for server, process in zip(chosen.servers, processes, strict=True)
                if process.poll() is not None
            ]
            raise StorageError(f"{' and '.join(gone)} ended by itself.", hint="Start again: automl ui")
    except KeyboardInterrupt:
        print_note("stopped")
        raise typer.Exit(130) from None


def _print_links(links: dict[str, str]) -> None:
    for label, link in links.items():
        print_lines([f"{label}: {link}"])
