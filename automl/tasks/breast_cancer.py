"""Breast cancer (Wisconsin): 569 tumours described by 30 measurements of cell nuclei, malignant or benign, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks.cells import number_columns
from automl.tasks.task import Rows, Task


def _read() -> Rows:
    from sklearn.datasets import load_breast_cancer  # heavy: only when the task is really read

    data = load_breast_cancer()
    columns = tuple(map(str, data.feature_names))
    return Rows(number_columns(data.data, columns), columns, target=data.target_names[data.target])


TASK = Task(
    name="breast_cancer",
    title="Is a breast tumour malignant or benign, from measurements of cell nuclei?",
    kind="classification",
    input_kind="table",
    target="diagnosis",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=_read,
    source="scikit-learn load_breast_cancer",
)
