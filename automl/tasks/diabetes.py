"""Diabetes: 442 patients with 10 measurements each and the disease's progression a year later, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks.task import Rows, Task


def _read() -> Rows:
    from sklearn.datasets import load_diabetes  # heavy: only when the task is really read

    data = load_diabetes(scaled=False)
    return Rows(features=data.data, columns=tuple(data.feature_names), target=data.target)


TASK = Task(
    name="diabetes",
    title="How far does diabetes progress within a year?",
    kind="regression",
    input_kind="table",
    shape=(10,),
    target="progression",
    objectives=(("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")),
    read=_read,
    source="scikit-learn load_diabetes",
)
