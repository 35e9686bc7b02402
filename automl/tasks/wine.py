"""Wines: 178 samples of 13 chemical measurements from three growers, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks.cells import number_columns
from automl.tasks.task import Rows, Task


def _read() -> Rows:
    from sklearn.datasets import load_wine  # heavy: only when the task is really read

    data = load_wine()
    columns = tuple(map(str, data.feature_names))
    return Rows(number_columns(data.data, columns), columns, target=data.target_names[data.target])


TASK = Task(
    name="wine",
    title="Which grower made a wine, from its chemistry?",
    kind="classification",
    input_kind="table",
    target="grower",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=_read,
    source="scikit-learn load_wine",
)
