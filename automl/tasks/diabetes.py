"""Diabetes: 442 patients with 10 measurements each and the disease's progression a year later, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks.cells import number_columns
from automl.tasks.task import Rows, Task


def _read() -> Rows:
    from sklearn.datasets import load_diabetes  # heavy: only when the task is really read

    data = load_diabetes(scaled=False)
    columns = tuple(data.feature_names)
    return Rows(number_columns(data.data, columns), columns, target=data.target)


TASK = Task(
    name="diabetes",
    title="How far does diabetes progress within a year?",
    kind="regression",
    input_kind="table",
    target="progression",
    objectives=(("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")),
    read=_read,
    source="scikit-learn load_diabetes",
)
