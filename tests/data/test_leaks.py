"""A column that gives the answer away is named; one that is merely good is not."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.leaks import leaks
from automl.tasks import Rows, Task

CLASSES = np.array(["no", "yes"] * 100, dtype=object)
NUMBERS = np.arange(200.0)


def found(cells: np.ndarray, target: np.ndarray, input_kind: str = "table") -> tuple[str, ...]:
    kind = "classification" if target.dtype == object else "regression"
    task = Task("t", "", kind, input_kind, "y", (("accuracy", "maximize"),), lambda: Rows({}, (), target), "")  # type: ignore[arg-type]
    return leaks({"c": cells}, target, task)


@pytest.mark.parametrize(
    "cells",
    [
        CLASSES,
        np.array(["n", "y"] * 100, dtype=object),  # under other names
        np.array([0.0, 1.0] * 100),
        np.array([*["no", "yes"] * 95, *[None] * 10], dtype=object),
    ],
)
def test_a_copy_of_the_classes_is_a_leak(cells: np.ndarray) -> None:
    (text,) = found(cells, CLASSES)
    assert text.startswith("Column 'c' all but equals the target")
    assert "--column 'c=left out'" in text


@pytest.mark.parametrize("cells", [NUMBERS, NUMBERS * -3.5 + 7, np.where(NUMBERS < 10, np.nan, NUMBERS)])
def test_the_target_in_other_units_is_a_leak(cells: np.ndarray) -> None:
    assert "all but equals the target" in found(cells, NUMBERS)[0]


def test_a_column_that_is_filled_for_one_class_only_is_a_leak() -> None:
    reason = np.array([None, "moved"] * 100, dtype=object)
    assert "is filled for one class of the target only" in found(reason, CLASSES)[0]


@pytest.mark.parametrize(
    ("cells", "target"),
    [
        (np.array(["no", "yes"] * 90 + ["yes", "no"] * 10, dtype=object), CLASSES),  # right in 90 of 100
        (np.array([f"w{row}" for row in range(200)], dtype=object), CLASSES),  # an id tells every row apart
        (np.full(200, 3.0), CLASSES),
        (np.full(200, np.nan), CLASSES),
        (np.array([None] * 200, dtype=object), CLASSES),
        (NUMBERS + 30 * np.random.default_rng(0).normal(size=200), NUMBERS),
        (np.full(200, 3.0), NUMBERS),
        (np.array(["a", "b"] * 100, dtype=object), NUMBERS),
        (np.array(["no", "yes"] * 15 + [None] * 170, dtype=object), CLASSES),  # too few rows to tell
    ],
)
def test_what_only_helps_is_no_leak(cells: np.ndarray, target: np.ndarray) -> None:
    assert found(cells, target) == ()


def test_a_frequent_class_alone_makes_no_leak() -> None:
    target = np.array(["no"] * 199 + ["yes"], dtype=object)
    assert found(np.array(["a", "b"] * 100, dtype=object), target) == ()


def test_pixels_are_not_asked() -> None:
    assert found(CLASSES, CLASSES, "image") == ()
