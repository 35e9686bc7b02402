"""Which of two values of a metric is better. Knows the two directions, `maximize` and `minimize`; knows no metric."""

from __future__ import annotations


def sign(direction: str) -> float:
    """Return 1 where values are maximized and -1 where they are minimized: of `sign * value` the largest is the best."""
    return 1.0 if direction == "maximize" else -1.0


def is_better(value: float, than: float, direction: str) -> bool:
    """Whether `value` beats another; an equal one does not."""
    return sign(direction) * value > sign(direction) * than
