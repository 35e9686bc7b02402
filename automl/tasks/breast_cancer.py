"""Breast cancer (Wisconsin): 569 tumours described by 30 measurements of cell nuclei, malignant or benign, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks._packaged import sklearn_rows
from automl.tasks.task import Task

TASK = Task(
    name="breast_cancer",
    title="Is a breast tumour malignant or benign, from measurements of cell nuclei?",
    kind="classification",
    input_kind="table",
    target="diagnosis",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=lambda: sklearn_rows("breast_cancer"),
    source="scikit-learn load_breast_cancer",
)
