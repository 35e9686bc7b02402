"""`automl models`: what is registered in MLflow, which version is the champion, and bundles in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli.output import print_json, print_lines, print_table
from automl.cli.place import model_folder, open_registry

if TYPE_CHECKING:
    from automl.tracking.registry import Version

app = typer.Typer(help="Registered models: list, show, promote, rollback, export.", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_Name = Annotated[str, typer.Argument(help="A registered model: the name of its task.")]
_NEXT = {
    "safetensors": 'automl.load_model("{to}")',
    "pt2": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
    "onnx": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
}
_SHOWN = ("family", "metric", "validation", "test", "verdict", "search")


@app.command("list")
def list_models(
    name: Annotated[str | None, typer.Argument(help="Only the versions of this model.")] = None, as_json: _Json = False
) -> None:
    """List the registered models with their versions, the newest first."""
    from automl.tracking import registry

    with open_registry() as client:
        wanted = [name] if name else registry.names(client)
        found = [version for each in wanted for version in registry.versions(client, each)]
    if as_json:
        print_json([_document(version) for version in found])
    elif found:
        rows = [
            (each.name, each.number, "champion" if each.champion else "", *(each.tags.get(tag, "-") for tag in _SHOWN))
            for each in found
        ]
        print_table(rows, ("model", "version", "alias", *_SHOWN))
    else:
        print_lines(["No models are registered yet. Begin with: automl search digits"])


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(help="NAME for the champion, NAME@VERSION for another.")],
    as_json: _Json = False,
) -> None:
    """Show one version: its tags and its model card."""
    from automl.tracking import registry

    name, _, which = model.partition("@")
    with open_registry() as client:
        version = registry.pick(client, name, which or registry.CHAMPION)
    if as_json:
        print_json(_document(version))
        return
    alias = " (champion)" if version.champion else ""
    print_lines([f"{version.name} version {version.number}{alias}"])
    print_lines([f"  {tag:<12}{version.tags[tag]}" for tag in _SHOWN if tag in version.tags])
    print_lines(["", *version.description.splitlines()])


@app.command("promote")
def promote(
    name: _Name, version: Annotated[int, typer.Argument(help="Number of the version.")], as_json: _Json = False
) -> None:
    """Let a version be the champion, whatever the gate said."""
    from automl.tracking import registry

    with open_registry() as client:
        _print_champion(registry.promote(client, name, version), as_json=as_json)


@app.command("rollback")
def rollback(name: _Name, as_json: _Json = False) -> None:
    """Give the champion's place back to the version that had it before."""
    from automl.tracking import registry

    with open_registry() as client:
        _print_champion(registry.rollback(client, name), as_json=as_json)


@app.command("export")
def export(
    model: Annotated[
        str, typer.Argument(help="NAME@champion, NAME@VERSION, a folder, or a task's name for its latest.")
    ],
    form: Annotated[str, typer.Option("--format", help="pt2, onnx (needs the extra \\[onnx]) or safetensors.")],
    to: Annotated[Path, typer.Option(help="A new folder for it.")],
    families_from: Annotated[
        str | None,
        typer.Option("--families-from", help="A folder with families of your own.", envvar="AUTOML_FAMILIES_FROM"),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Write a model in another form: with preprocessing as data, a script and a README, for torch or onnxruntime alone."""
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


def _document(version: Version) -> dict[str, Any]:
    return {"name": version.name, "version": version.number, "champion": version.champion, "tags": version.tags}
