"""`automl models`: what is registered in MLflow, which version is the champion, and bundles in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli import complete
from automl.cli.examples import examples, with_examples
from automl.cli.options import FamiliesFrom, Json
from automl.cli.output import number, print_json, print_lines, print_note, print_table
from automl.cli.place import has_registry, model_folder, open_registry, unsent

if TYPE_CHECKING:
    from automl.tracking.registry import Version

app = typer.Typer(
    help=with_examples(
        "Registered models: list, show, promote, rollback, export.",
        "automl models list",
        "automl models promote digits 2",
    ),
    no_args_is_help=True,
)
_Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A registered model: the name of its task.", autocompletion=complete.models),
]
_NEXT = {
    "safetensors": 'automl.load_model("{to}")',
    "pt2": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
    "onnx": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
}
_SHOWN = ("family", "metric", "validation", "test", "verdict", "search")
_LISTED = ("family", "metric", "test", "search", "verdict")
"""With what a line of 80 characters holds; the verdict, the longest, comes last."""


@app.command("list")
@examples("automl models list", "automl models list digits --json")
def list_models(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only the versions of this model.", autocompletion=complete.models),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the registered models with their versions, the newest first."""
    from automl.tracking import registry

    found: list[Version] = []
    if name or has_registry():
        with open_registry(name) as client:
            wanted = [name] if name else registry.names(client)
            found = [version for each in wanted for version in registry.versions(client, each)]
    waiting = unsent(name, {version.tags.get("search") for version in found})
    if as_json:
        print_json([_document(version) for version in found])
    elif found:
        rows = [
            (each.name, each.number, "champion" if each.champion else "", *(_told(each, tag) for tag in _LISTED))
            for each in found
        ]
        print_table(rows, ("model", "version", "alias", *_LISTED))
    else:
        print_lines(["No models are registered yet." + ("" if waiting else " Begin with: automl search digits")])
    if waiting:
        print_note(waiting)


@app.command("show")
@examples("automl models show digits", "automl models show digits@2")
def show(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="NAME for the champion (`automl predict NAME` takes the latest), NAME@VERSION for another.",
            autocompletion=complete.models,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show one version: its tags and its model card."""
    from automl.tracking import registry

    name, _, which = model.partition("@")
    with open_registry(name) as client:
        version = registry.pick(client, name, which or registry.CHAMPION)
    if as_json:
        print_json(_document(version))
        return
    alias = " (champion)" if version.champion else ""
    print_lines([f"{version.name} version {version.number}{alias}"])
    print_lines([f"  {tag:<12}{_told(version, tag)}" for tag in _SHOWN if tag in version.tags])
    print_lines(["", *version.description.splitlines()])


@app.command("promote")
@examples("automl models promote digits 2")
def promote(
    name: _Name,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Number of the version.")],
    as_json: Json = False,
) -> None:
    """Let a version be the champion, whatever the gate said."""
    from automl.tracking import registry

    with open_registry(name) as client:
        _print_champion(registry.promote(client, name, version), as_json=as_json)


@app.command("rollback")
@examples("automl models rollback digits")
def rollback(name: _Name, as_json: Json = False) -> None:
    """Give the champion's place back to the version that had it before."""
    from automl.tracking import registry

    with open_registry(name) as client:
        _print_champion(registry.rollback(client, name), as_json=as_json)


@app.command("export")
@examples(
    "automl models export digits --format onnx --to digits-onnx",
    "automl models export digits@champion --format pt2 --to digits-pt2",
)
def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="NAME@champion, NAME@VERSION, a folder, or NAME of a task for the latest that was exported here, champion or not.",
            autocompletion=complete.models,
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="pt2, onnx (needs the extra \\[onnx]) or safetensors.",
            autocompletion=complete.forms,
        ),
    ],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder for it.", autocompletion=complete.files)],
    families_from: FamiliesFrom = None,
    as_json: Json = False,
) -> None:
    """Write a model in another form: pt2 or onnx, with preprocessing, a script and a README, for torch or onnxruntime alone;
    safetensors for automl.load_model, without code.
    """
    from automl import catalog
    from automl.export import convert

    if families_from:
        catalog.add_families_from(families_from)
    folder = convert(model_folder(model), form, to)
    files = sorted(path.name for path in folder.iterdir())
    if as_json:
        print_json({"model": model, "format": form, "folder": str(folder), "files": files})
    else:
        print_lines([f"{folder}: {', '.join(files)}", f"next: {_NEXT[form].format(to=folder)}"])


def _print_champion(version: Version, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(version))
    else:
        print_lines([f"{version.name}: version {version.number} is the champion"])


def _told(version: Version, tag: str) -> str:
    """A tag as people read it: numbers are kept as text."""
    text = version.tags.get(tag, "-")
    if tag not in ("validation", "test"):
        return text
    try:
        return number(float(text))
    except ValueError:
        return text


def _document(version: Version) -> dict[str, Any]:
    return {"name": version.name, "version": version.number, "champion": version.champion, "tags": version.tags}
