"""`automl predict`: a bundle and a file of rows in, CSV out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl.errors import ConfigError, StorageError


def predict(
    model: Annotated[str, typer.Argument(help="An exported model: its folder, or a task's name for the latest of it.")],
    file: Annotated[Path, typer.Argument(help="Rows to predict: .csv with the training columns, or .npy.")],
    out: Annotated[Path | None, typer.Option(help="Write here instead of stdout.")] = None,
) -> None:
    """Predict each row of a file; writes CSV with `prediction` and, for classes, `p_<class>`."""
    from automl.bundle import predict_file, resolve

    predictions = predict_file(resolve(_folder(model)), file)
    if out is None:
        predictions.write_csv(sys.stdout)
        return
    try:
        with out.open("w", newline="") as stream:
            predictions.write_csv(stream)
    except OSError as error:
        raise StorageError(f"cannot write {out}: {error.strerror}.") from error


def _folder(model: str) -> Path:
    for folder in (Path(model), Path("exports") / model):
        if folder.is_dir():
            return folder
    raise ConfigError(f"No model at {model!r}: neither a folder nor a task under exports/. Run: automl search TASK")
