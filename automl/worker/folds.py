"""Several fits of one trial, each validated on another fold, as one: mean values, and a prediction for every row. Trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol

import numpy as np

from automl.worker.callbacks import Best, Progress


class Measured(Protocol):
    """What predictions are compared with; an `EvaluationFeed` is one."""

    @property
    def kind(self) -> str:
        """`classification` or `regression`."""

    @property
    def measured_target(self) -> np.ndarray:
        """(rows,) class indices, or numbers in the target's own units."""


@dataclass
class Joined:
    """The target of all folds' rows, training rows first, in the order of the prepared parts."""

    kind: str
    measured_target: np.ndarray


def joined(fitted: Sequence[tuple[Progress, Measured]], fold: np.ndarray) -> tuple[Progress, Joined]:
    """Return the folds' fits, in order of fold, as one; `fold` (rows,) says which fold a row is of.

    The curve is the first fold's, values and best step are means, the weights are those of the first fold. A fold that ended
    before its time ends all. Where the time ended before the last fold, values are those of the folds that were reached, and no
    predictions are left, since some rows have none.
    """
    progresses = [progress for progress, _ in fitted]
    kind, target = fitted[0][1].kind, _spread([measured.measured_target for _, measured in fitted], fold)
    first, last = progresses[0], progresses[-1]
    if last.ending is not None:
        return replace(first, ending=last.ending), Joined(kind, target)
    bests = [progress.best for progress in progresses if progress.best is not None]
    values = {name: fmean(best.values[name] for best in bests) for name in bests[0].values}
    predictions = [best.predictions for best in bests if best.predictions is not None]
    whole = _spread(predictions, fold) if len(predictions) == fold.max() + 1 else None
    best = Best(max(1, round(fmean(best.step for best in bests))), values, bests[0].weights, whole)
    return replace(first, best=best), Joined(kind, target)


def _spread(of_folds: Sequence[np.ndarray], fold: np.ndarray) -> np.ndarray:
    """Each fold's rows at their places among all; rows of folds that were not reached stay 0."""
    whole = np.zeros((len(fold), *of_folds[0].shape[1:]), dtype=of_folds[0].dtype)
    for number, rows in enumerate(of_folds):
        whole[fold == number] = rows
    return whole
