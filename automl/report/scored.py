"""What the one reading of the test part left: target, predictions, and the rows that were predicted worst. Measures nothing.

The test part itself is not read here, nor anywhere but in the `score` assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from automl.ledger import Attempt, SearchFolder
from automl.report.picture import address, png
from automl.report.text import number
from automl.tasks.metrics import EVEN, decide

_SURE = 0.995
"""A right prediction that is surer than this shows nothing that is worth a look."""
_TELLING = 4
"""Features shown of a table's row: those furthest from their mean."""


@dataclass(frozen=True, slots=True)
class Example:
    """A test row that was predicted badly, or without being sure."""

    row: int
    """Its place in the test part, whose rows are in order of their content."""
    true: str
    predicted: str
    note: str
    """How sure the model was, or how far off."""
    picture: str
    """A `data:` address of a PNG; empty for a table."""
    features: tuple[str, ...]
    """The unusual ones of a table's row, in words; of a text its beginning."""
    are_unusual: bool = False
    """Whether the features were chosen among more, by how far from their mean they are."""
    is_right: bool = False
    """Whether the predicted class is the true one."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The winner's predictions of the test rows."""

    target: np.ndarray
    """(rows,) class indices, or numbers in the target's own units; (rows, horizon) of forecasts, NaN where one is missing."""
    prediction: np.ndarray
    """(rows, classes) probabilities, (rows,) numbers, or (rows, horizon) forecasts."""
    labels: tuple[str, ...]
    """Empty for numbers."""
    hardest: dict[str, np.ndarray]
    """What `worker/hardest.py` set apart; empty for a search that an older version made."""
    threshold: float = EVEN
    """Of two classes the second is predicted where its probability is above it."""
    explained: dict[str, np.ndarray] = field(default_factory=dict)
    """What `worker/explaining.py` found; empty for a search that an older version made."""

    @property
    def predicted(self) -> np.ndarray:
        """(rows,) classes that the model decides for."""
        return decide(self.prediction, self.threshold)

    def examples(self) -> list[Example]:
        """Return the rows that were predicted worst, the worst first; right ones only where the model was less than sure."""
        rows = [(place, int(row)) for place, row in enumerate(self.hardest.get("rows", ()))]
        return [self._example(place, row) for place, row in rows if not (self._is_right(row) and self._is_sure(row))]

    def _is_right(self, row: int) -> bool:
        return bool(self.labels) and int(self.target[row]) == int(self.predicted[row])

    def _is_sure(self, row: int) -> bool:
        return float(self.prediction[row, self.predicted[row]]) > _SURE

    def _example(self, place: int, row: int) -> Example:
        true, predicted, note = self.words(row)
        encoded = self.hardest["inputs"][place]
        if encoded.ndim == 3:
            return Example(row, true, predicted, note, address(png(encoded)), (), is_right=self._is_right(row))
        many = len(self.hardest.get("columns", ())) > 1
        return Example(row, true, predicted, note, "", tuple(self._features(place)), many, self._is_right(row))

    def words(self, row: int) -> tuple[str, str, str]:
        """Return a row's true class or number, the predicted one, and how sure the model was or how far off."""
        if not self.labels:
            if self.is_forecast:
                return self._ends(row)
            true, predicted = float(self.target[row]), float(self.prediction[row])
            return number(true), number(predicted), f"off by {number(abs(true - predicted))}"
        true_class, taken = int(self.target[row]), int(self.predicted[row])
        chances = self.prediction[row]
        note = f"{chances[taken]:.0%} sure" if taken != true_class else f"right, but only {chances[taken]:.0%} sure"
        return self.labels[true_class], self.labels[taken], note

    @property
    def is_forecast(self) -> bool:
        """Whether each row is several steps."""
        return self.target.ndim == 2

    def _ends(self, row: int) -> tuple[str, str, str]:
        """The first and last step of a forecast."""
        true, predicted = self.target[row], self.prediction[row]
        off = float(np.nanmean(np.abs(true - predicted)))
        words = [f"{number(float(one[0]))} … {number(float(one[-1]))}" for one in (true, predicted)]
        return words[0], words[1], f"off by {number(off)} in the mean of {len(true)} steps"

    def _features(self, place: int) -> Iterable[str]:
        """Cells in their own units, the most unusual numbers first, then words."""
        if "cells" not in self.hardest:  # an older version kept less
            return
        unusual, cells = self.hardest["unusual"][place], self.hardest["cells"][place]
        for column in np.argsort(-np.abs(unusual), kind="stable")[:_TELLING]:
            away = round(float(unusual[column]), 1) + 0.0  # the sum makes a plain 0 of -0.0
            distance = f" ({away:+.1f} sd)" if unusual[column] else ""
            yield f"{self.hardest['columns'][column]} = {cells[column]}{distance}"


def read_scored(attempts: Sequence[Attempt], folder: SearchFolder, key: str | None = None) -> Scored | None:
    """Return what the complete score of that key left, or the last one; None before there is one, and where its file is gone or damaged.

    A search that goes on may have scored its next winner while the document still tells of the one before.
    """
    done = [one.outcome for one in attempts if one.kind == "score" and one.state == "complete" and one.outcome]
    if not done:
        return None
    artifacts = next((one for one in done if one.assignment == key), done[-1]).artifacts
    found = {
        name: _read(folder.root / artifact.path)
        for name, artifact in artifacts.items()
        if artifact.path.endswith(".npz")
    }
    arrays, hardest = found.get("predictions", {}), found.get("hardest", {})
    if not {"target", "model"} <= set(arrays):
        return None
    prediction = arrays["model"]
    labels = tuple(map(str, hardest.get("labels", ())))
    if prediction.shape != arrays["target"].shape and len(labels) != prediction.shape[1]:
        labels = tuple(str(place) for place in range(prediction.shape[1]))
    lines = dict(
        zip(
            (name for name in arrays if name not in ("target", "thresholds")),
            arrays.get("thresholds", ()),
            strict=False,
        )
    )
    threshold = float(lines.get("model", EVEN))
    return Scored(arrays["target"], prediction, labels, hardest, threshold, found.get("explained", {}))


def _read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file. A report shows what is there: a missing or damaged file is an absent section, no error."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return {}
