"""Wines: 178 samples of 13 chemical measurements from three growers, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks._packaged import sklearn_rows
from automl.tasks.task import Task

TASK = Task(
    name="wine",
    title="Which grower made a wine, from its chemistry?",
    kind="classification",
    input_kind="table",
    target="grower",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=lambda: sklearn_rows("wine"),
    source="scikit-learn load_wine",
)
