"""Predictions for new rows, written as CSV while they are read: memory does not grow with their number. Learns nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from automl.bundle.load import Model, load_model
from automl.data import Chunk, Tell, frame_rows, read_rows

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def predict_file(bundle: Path, path: Path, stream: TextIO, tell: Tell, encoding: str = "utf-8") -> int:
    """Predict what `read_rows` finds at `path` and write it to `stream`; returns the number of rows.

    `tell` is handed what people should know: columns that are not used, files that cannot be read. Raises DataError for the
    rows and StorageError for the bundle.
    """
    model = load_model(bundle)
    return write_predictions(model, read_rows(path, model.schema, tell, encoding=encoding), stream)


def write_predictions(model: Model, chunks: Iterable[Chunk], stream: TextIO) -> int:
    """Write a row per row, in order: `file` for a folder, `prediction`, and `p_<class>` for each class; returns their number.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    writer = csv.writer(stream, lineterminator="\n")
    count = 0
    for chunk in chunks:
        if count == 0:
            writer.writerow(_header(model, of_files=bool(chunk.files)))
        columns: list[Iterable[str | float]] = [map(harmless, chunk.files)] if chunk.files else []
        if model.schema.labels:
            probabilities = model.predict_proba(chunk.features)
            columns += [map(harmless, model.decide(probabilities).tolist()), *probabilities.T.tolist()]
        else:
            columns.append(model.predict(chunk.features).tolist())
        writer.writerows(zip(*columns, strict=True))
        count += len(chunk)
    return count


def predict_frame(model: Model, frame: pd.DataFrame, tell: Tell = lambda text: None) -> pd.DataFrame:
    """Predict a frame's rows: `prediction`, and `p_<class>` for each class, under the frame's own index. Raises DataError."""
    import pandas as pd

    rows = frame_rows(frame, model.schema, tell)
    if not model.schema.labels:
        return pd.DataFrame({"prediction": model.predict(rows)}, index=frame.index)
    probabilities = model.predict_proba(rows)
    columns = {f"p_{label}": probabilities[:, place] for place, label in enumerate(model.schema.labels)}
    return pd.DataFrame({"prediction": model.decide(probabilities).tolist(), **columns}, index=frame.index)


def harmless(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula; a number stays as it is."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) and not _is_number(cell) else cell


def _header(model: Model, *, of_files: bool) -> list[str]:
    classes = [harmless(f"p_{label}") for label in model.schema.labels]
    return [*(["file"] if of_files else []), "prediction", *classes]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
