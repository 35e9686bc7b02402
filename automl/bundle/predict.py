"""Predictions for a file of new rows, as a table for CSV. Reads the bundle and the file; learns nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from automl.bundle.load import load_model
from automl.data import read_features

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Predictions:
    """One row per input row, in the input's order."""

    header: tuple[str, ...]
    """`prediction`, and `p_<class>` for each class."""
    rows: tuple[tuple[str | float, ...], ...]

    def write_csv(self, stream: TextIO) -> None:
        """Write header and rows; text that a spreadsheet would run as a formula gets a leading apostrophe."""
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([_harmless(name) for name in self.header])
        writer.writerows([_harmless(cell) for cell in row] for row in self.rows)


def predict_file(bundle: Path, path: Path) -> Predictions:
    """Predict each row of a `.csv` or `.npy`. Raises DataError for the file and StorageError for the bundle."""
    model = load_model(bundle)
    features = read_features(path, model.schema)
    if not model.schema.labels:
        return Predictions(("prediction",), tuple((value,) for value in model.predict(features).tolist()))
    probabilities = model.predict_proba(features)
    labels = [model.schema.labels[index] for index in probabilities.argmax(axis=1)]
    rows = tuple((label, *row) for label, row in zip(labels, probabilities.tolist(), strict=True))
    return Predictions(("prediction", *(f"p_{label}" for label in model.schema.labels)), rows)


def _harmless(cell: str | float) -> str | float:
    if isinstance(cell, float) or not cell.startswith(_FORMULA_STARTS) or _is_number(cell):
        return cell
    return "'" + cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
