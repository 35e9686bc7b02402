"""`automl searches`: what was searched, and going on with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli import complete
from automl.cli.examples import examples, with_examples
from automl.cli.options import Json
from automl.cli.output import clean, number, print_facts, print_json, print_lines, print_note, print_table
from automl.direction import sign
from automl.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from automl.ledger import Header, Ledger, SearchFolder

app = typer.Typer(
    help=with_examples(
        "Searches: list, show, resume, sync, delete.", "automl searches list", "automl searches resume digits-0"
    ),
    no_args_is_help=True,
)
_Name = Annotated[
    str, typer.Argument(metavar="SEARCH", help="See `automl searches list`.", autocompletion=complete.searches)
]


@app.command("list")
@examples("automl searches list", "automl searches list --json")
def list_searches(as_json: Json = False) -> None:
    """List the searches of this folder with their counts."""
    from automl.ledger import Home, headline, open_to_read

    rows: list[dict[str, Any]] = []
    shown: list[tuple[Any, ...]] = []
    home = Home.from_environment()
    for name in home.searches():
        document: dict[str, Any] = {}
        try:
            with closing(open_to_read(home.search(name))) as ledger:
                header = ledger.header()
                document = _document(ledger, header) if header else {}
                verdict = document.get("verdict", "unfinished") if header else "never begun"
        except StorageError as error:  # one damaged ledger must not hide all other searches
            verdict = "cannot be read"
            print_note(f"{error} What else is wrong: automl doctor")
        row = {"search": name, **_row(document), "verdict": verdict}
        rows.append(row)
        metric = document["metric"] if row["test"] is not None else "-"
        said = headline(document) if document.get("verdict") else verdict
        shown.append((name, row["task"], row["slots"], metric, row["test"], said))
    if as_json:
        print_json(rows)
    elif rows:
        print_table(shown, ("search", "task", "slots", "metric", "test", "verdict"))
    else:
        print_lines(["No searches here yet. Begin with: automl search digits"])


@app.command("show")
@examples("automl searches show digits-0", "automl searches show digits-0 --json")
def show_search(name: _Name, as_json: Json = False) -> None:
    """Show a search: its result, or how far it has come."""
    from automl.cli.summary import summary

    with _reading(name) as (ledger, header):
        document = _document(ledger, header)
        if as_json:
            print_json(document)
        elif "best" in document:
            print_facts(summary(document, header))
        else:
            slots = document["slots"]
            best = max(
                (a for a in ledger.attempts(kind="trial", final=True) if a.state == "complete" and a.value is not None),
                key=lambda a: sign(document["direction"]) * (a.value or 0.0),
                default=None,
            )
            counts = ", ".join(f"{count} {state}" for state, count in slots.items())
            print_lines([f"{name}: unfinished, {counts}"])
            if best is not None:
                print_lines(
                    [f"  best so far  {document['metric']} {number(best.value)}: {best.family}, slot {best.slot}"]
                )
            print_lines([f"next: automl searches resume {name}"])


@app.command("resume")
@examples("automl searches resume digits-0")
def resume_search(name: _Name, as_json: Json = False) -> None:
    """Go on with a search under the settings it was begun with."""
    from automl.cli.search import run_and_print
    from automl.config import SearchConfig
    from automl.tasks import load_again

    with _reading(name) as (_, header):
        task = load_again(header.task["name"], header.task.get("choices", {}))
        config = SearchConfig(**header.config)
    run_and_print(task, config, name, as_json=as_json)


@app.command("sync")
@examples("automl searches sync digits-0")
def sync_search(name: _Name, as_json: Json = False) -> None:
    """Bring MLflow's runs and Optuna's file into step with a search, and say what was found."""
    from automl.ledger import Home
    from automl.tracking.sync import describe, sync

    report = sync(Home.from_environment().existing(name), warn=print_note)
    if as_json:
        print_json(report)
    else:
        print_lines(describe(report))


@app.command("delete")
@examples("automl searches delete digits-0", "automl searches delete digits-0 --yes --json")
def delete_search(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a search's own files. MLflow's runs, exported models and reports stay."""
    from automl.ledger import Home, SearchLock

    home = Home.from_environment()
    folder = home.existing(name)
    is_agreed = yes or _agrees(f"Delete {folder.root} with all its trials?")
    if is_agreed:
        with SearchLock(folder.root):
            home.delete(folder)
    if as_json:
        print_json({"search": name, "deleted": is_agreed})
    else:
        print_lines([f"deleted {name}" if is_agreed else "nothing was deleted"])


def _agrees(question: str) -> bool:
    """Ask a person on stderr. Raises ConfigError where nobody is there to answer."""
    print(f"{clean(question)} [y/N]: ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    if not answer:
        print(file=sys.stderr)
        raise ConfigError("nobody answered, and nothing was deleted.", hint="To delete unasked, pass --yes.")
    return answer.strip().lower() in ("y", "yes")


@contextmanager
def _reading(name: str) -> Iterator[tuple[Ledger, Header]]:
    from automl.ledger import Home, begun, open_to_read

    folder: SearchFolder = Home.from_environment().existing(name)
    with closing(open_to_read(folder)) as ledger:
        yield ledger, begun(ledger, name)


def _row(document: dict[str, Any]) -> dict[str, Any]:
    """What is listed of a search; nothing of one that was never begun or cannot be read."""
    if not document:
        return {"task": "-", "slots": "-", "test": None}
    slots, best = document["slots"], document.get("best") or {}
    done = slots["complete"] + slots["pruned"] + slots["failed"]
    return {"task": document["task"], "slots": f"{done}/{slots['planned']}", "test": best.get("test")}


def _document(ledger: Ledger, header: Header) -> dict[str, Any]:
    from automl.report.document import partial_document, stored_document

    return stored_document(header) or partial_document(header, ledger.attempts())
