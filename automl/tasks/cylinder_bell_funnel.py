"""Cylinder, bell, funnel: 900 noisy series of 128 steps in three classes, generated as Saito (1994) defines them.

N. Saito, "Local feature extraction and its application using a library of bases", PhD thesis, Yale University, 1994. From step a to
step b a series is high: all the while (a cylinder), rising from 0 (a bell) or falling to 0 (a funnel); everywhere else it is noise.
Equal versions of NumPy give equal rows.
"""

from __future__ import annotations

import numpy as np

from automl.encoding import Series
from automl.tasks.task import Rows, Task

CLASSES = ("bell", "cylinder", "funnel")
OF_EACH = 300
STEPS = 128
_SEED = 1994
_HEIGHT = 6.0
_COLUMNS = tuple(f"t{step}" for step in range(1, STEPS + 1))


def _read() -> Rows:
    """Rows in the classes' turn: height 6 + N(0, 1), a from 16 to 32, b - a from 32 to 96, whole numbers; at each step N(0, 1) more."""
    rng = np.random.default_rng(_SEED)
    target = np.array(CLASSES * OF_EACH, dtype=object)
    rows = len(target)
    height = _HEIGHT + rng.standard_normal((rows, 1))
    begin = rng.integers(16, 32, (rows, 1), endpoint=True)
    length = rng.integers(32, 96, (rows, 1), endpoint=True)
    done = (np.arange(1, STEPS + 1) - begin) / length  # (rows, steps): 0 at step a, 1 at step b
    level = np.select([target[:, None] == "bell", target[:, None] == "funnel"], [done, 1 - done], 1.0)
    high = (done >= 0) & (done <= 1)
    return Rows(height * level * high + rng.standard_normal((rows, STEPS)), _COLUMNS, target)


TASK = Task(
    name="cylinder_bell_funnel",
    title="Is a noisy series a cylinder, a bell or a funnel?",
    kind="classification",
    input_kind="series",
    target="form",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize"), ("balanced_accuracy", "maximize")),
    read=_read,
    source="generated as Saito (1994) defines it",
    shape=(1, STEPS),
    series=Series(_COLUMNS, STEPS),
)
