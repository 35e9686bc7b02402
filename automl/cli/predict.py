"""`automl predict`: a bundle and rows in, CSV out, in streams."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from automl.cli import complete
from automl.cli.examples import examples
from automl.cli.options import Encoding, FamiliesFrom
from automl.cli.output import OnTerminal, print_note
from automl.cli.place import model_folder
from automl.errors import StorageError


@examples(
    "automl predict digits rows.csv",
    "automl predict digits@champion rows.parquet --out predictions.csv",
    "automl predict exports/digits - < rows.csv",
    "automl predict pictures new-pictures/",
)
def predict(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="An exported model: its folder; NAME of a task for the latest that was exported here, champion or not; "
            "NAME@champion or NAME@VERSION for a registered one.",
            autocompletion=complete.models,
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Rows: a table with the training columns (.csv, .parquet, .jsonl, ...), .npy, a folder of pictures or texts, or - (CSV).",
            autocompletion=complete.files,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write here instead of stdout; the file appears when whole.",
            autocompletion=complete.files,
        ),
    ] = None,
    encoding: Encoding = "utf-8",
    families_from: FamiliesFrom = None,
) -> None:
    """Predict each row; writes CSV with `prediction` and, for classes, `p_<class>`. Memory does not grow with the rows."""
    from automl import catalog
    from automl.bundle import predict_file, resolve
    from automl.data.durable import growing_file, storage_errors

    if families_from:
        catalog.add_families_from(families_from)
    if out is not None and not out.resolve().parent.is_dir():
        raise StorageError(
            f"Cannot write predictions to {out}: no folder {out.parent}.", hint="Make it, or write elsewhere."
        )
    folder = resolve(model_folder(model))
    if folder != Path(model):
        print_note(f"model {folder}")
    if out is None:
        predict_file(folder, file, _shown(_stdout()), print_note, encoding)
        return
    with storage_errors("write predictions to", out), growing_file(out) as stream:
        predict_file(folder, file, _shown(stream), print_note, encoding)


def _shown(stream: TextIO) -> TextIO:
    """A name must not steer the terminal; a file or a pipe gets every byte."""
    return cast(TextIO, OnTerminal(stream)) if stream.isatty() else stream


def _stdout() -> TextIO:
    """Names of classes and files are written whatever the terminal's encoding."""
    stream = cast(io.TextIOWrapper, sys.stdout)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
    return stream
