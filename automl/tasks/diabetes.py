"""Diabetes: 442 patients with 10 measurements each and the disease's progression a year later, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks._packaged import sklearn_rows
from automl.tasks.task import Task

TASK = Task(
    name="diabetes",
    title="How far does diabetes progress within a year?",
    kind="regression",
    input_kind="table",
    target="progression",
    objectives=(("rmse", "minimize"), ("r2", "maximize"), ("mae", "minimize")),
    read=lambda: sklearn_rows("diabetes", scaled=False),
    source="scikit-learn load_diabetes",
)
