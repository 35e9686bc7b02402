"""Predictions for new rows, written as CSV while they are read: memory does not grow with their number. Learns nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from automl.bundle.load import Model, load_model
from automl.data import Chunk, Tell, frame_rows, frame_series, read_rows
from automl.encoding import Raw

if TYPE_CHECKING:
    import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the first four in full width, which some spreadsheets take for the same."""


def predict_file(bundle: Path, path: Path, stream: TextIO, tell: Tell, encoding: str = "utf-8") -> int:
    """Predict what `read_rows` finds at `path` and write it to `stream`; returns the number of rows.

    `tell` is handed what people should know: columns that are not used, files that cannot be read. Raises DataError for the
    rows and StorageError for the bundle.
    """
    model = load_model(bundle)
    return write_predictions(model, read_rows(path, model.schema, tell, encoding=encoding), stream)


def write_predictions(model: Model, chunks: Iterable[Chunk], stream: TextIO) -> int:
    """Write a row per row, in order: `file` for a folder, `prediction`, and `p_<class>` for each class; returns their number.

    Of long rows each series is a row, and the first column its id, under the name that it has in the file. Of a forecast each step
    is a row: the id if there are ids, `step` from 1 on, `prediction`. Text that a spreadsheet would run as a formula gets a leading
    apostrophe.
    """
    writer = csv.writer(stream, lineterminator="\n")
    count = 0
    for chunk in chunks:
        if count == 0:
            writer.writerow(_header(model, chunk))
        names = list(map(harmless, chunk.files or chunk.ids))
        columns: list[Iterable[str | float]] = [names] if names else []
        if model.schema.labels:
            probabilities = model.predict_proba(chunk.features)
            columns += [map(harmless, model.decide(probabilities).tolist()), *probabilities.T.tolist()]
        else:
            columns.append(model.predict(chunk.features).tolist())
        writer.writerows(zip(*columns, strict=True) if not model.schema.horizon else _steps(names, columns[-1]))
        count += len(chunk)
    return count


def predict_frame(model: Model, frame: pd.DataFrame, tell: Tell = lambda text: None) -> pd.DataFrame:
    """Predict a frame's rows: `prediction`, and `p_<class>` for each class, under the frame's own index. Raises DataError.

    Of long rows there is one for each series, or for each step of its forecast, with the columns of `write_predictions`.
    """
    import pandas as pd

    if model.schema.is_long:
        ids, series = frame_series(frame, model.schema, tell)
        if model.schema.horizon:
            return pd.DataFrame(
                _steps(ids, model.predict(series).tolist()), columns=_header(model, Chunk(series, ids=ids))
            )
        named = {model.schema.id: list(ids)} if ids else {}
        return pd.DataFrame({**named, **_predicted(model, series)})
    return pd.DataFrame(_predicted(model, frame_rows(frame, model.schema, tell)), index=frame.index)


def _predicted(model: Model, rows: Raw) -> dict[str, Any]:
    labels = model.schema.labels
    if not labels:
        return {"prediction": model.predict(rows)}
    probabilities = model.predict_proba(rows)
    return {
        "prediction": model.decide(probabilities).tolist(),
        **{f"p_{label}": probabilities[:, place] for place, label in enumerate(labels)},
    }


def _steps(ids: Sequence[str], forecasts: Iterable[Any]) -> Iterator[tuple[str | float, ...]]:
    """A row per step of each series."""
    for place, steps in enumerate(forecasts):
        for step, value in enumerate(steps, start=1):
            yield (*ids[place : place + 1], step, value)


def harmless(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula; a number stays as it is."""
    return "'" + cell if cell.startswith(_FORMULA_STARTS) and not _is_number(cell) else cell


def _header(model: Model, chunk: Chunk) -> list[str]:
    classes = [harmless(f"p_{label}") for label in model.schema.labels]
    first = ["file"] if chunk.files else [harmless(model.schema.id)] if chunk.ids else []
    step = ["step"] if not classes and model.schema.horizon else []
    return [*first, *step, "prediction", *classes]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
