"""The best value is the largest or the smallest, as the direction says."""

from __future__ import annotations

import pytest

from automl.direction import is_better, sign


@pytest.mark.parametrize(("direction", "best"), [("maximize", 3.0), ("minimize", 1.0)])
def test_the_best_value_is_the_largest_once_the_sign_is_applied(direction: str, best: float) -> None:
    assert max([2.0, 1.0, 3.0], key=lambda value: sign(direction) * value) == best


@pytest.mark.parametrize(("direction", "better", "worse"), [("maximize", 0.9, 0.8), ("minimize", 0.8, 0.9)])
def test_only_what_lies_in_the_direction_is_better(direction: str, better: float, worse: float) -> None:
    assert is_better(better, worse, direction)
    assert not is_better(worse, better, direction)
    assert not is_better(better, better, direction)
    assert not is_better(float("nan"), worse, direction)
