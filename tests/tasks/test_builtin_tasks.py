"""Every built-in task reads, fits its declared shape and names metrics that exist."""

import subprocess
import sys

import numpy as np
import pytest

from automl.tasks import builtin_tasks, load_task
from automl.tasks.metrics import METRICS


def test_the_four_tasks_are_there():
    assert {"breast_cancer", "diabetes", "digits", "wine"} <= set(builtin_tasks())


@pytest.mark.parametrize("name", builtin_tasks())
def test_a_task_reads_rows_of_its_declared_shape(name):
    task = load_task(name)
    rows = task.read()
    assert task.name == name
    width = int(np.prod(task.shape)) if task.shape else len(rows.columns)
    assert rows.array().shape == (len(rows.target), width)
    assert len(set(rows.columns)) == len(rows.columns) == width


@pytest.mark.parametrize("name", builtin_tasks())
def test_a_task_aims_at_known_metrics_of_its_kind_in_their_direction(name):
    task = load_task(name)
    for metric, direction in task.objectives:
        assert (METRICS[metric].kind, METRICS[metric].direction) == (task.kind, direction)


def test_loading_a_task_does_not_import_scikit_learn():
    code = "import sys; from automl.tasks import load_task; load_task('digits'); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
