"""`automl models export`: a bundle as a file format for programs without us."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.output import print_json, print_lines
from automl.cli.place import model_folder

_NEXT = {
    "safetensors": 'automl.load_model("{to}")',
    "pt2": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
    "onnx": "python {to}/predict.py ROWS.csv    (see {to}/README.txt)",
}


def export(
    model: Annotated[str, typer.Argument(help="An exported model: its folder, or a task's name for the latest of it.")],
    form: Annotated[str, typer.Option("--format", help="pt2, onnx (needs the extra \\[onnx]) or safetensors.")],
    to: Annotated[Path, typer.Option(help="A new folder for it.")],
    families_from: Annotated[
        str | None,
        typer.Option("--families-from", help="A folder with families of your own.", envvar="AUTOML_FAMILIES_FROM"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
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
