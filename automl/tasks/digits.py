"""Handwritten digits: 1,797 grey images of 8x8 pixels in ten classes, bundled with scikit-learn."""

from __future__ import annotations

from automl.tasks.task import Rows, Task


def _read() -> Rows:
    from sklearn.datasets import load_digits  # heavy: only when the task is really read

    data = load_digits()
    return Rows(features=data.data, columns=tuple(data.feature_names), target=data.target)


TASK = Task(
    name="digits",
    title="Which digit does an 8x8 grey image show?",
    kind="classification",
    input_kind="image",
    shape=(1, 8, 8),
    target="digit",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=_read,
    source="scikit-learn load_digits",
)
