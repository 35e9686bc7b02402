"""What a search's result is worth, in words. Decides from confirmed and tested values; computes no metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Literal

BETTER = "better than default"
NOT_BETTER = "not better than the default"
_BASELINES = {"linear": "a linear model", "majority": "always the most frequent class", "mean": "always the mean"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line, and why."""

    words: str
    """`better than default`, `not better than the default`, or `a linear model is better: use it`."""
    reasons: tuple[str, ...]
    """Sentences with the numbers that decided."""


def decide(
    best: Sequence[float],
    default: Sequence[float],
    *,
    direction: Literal["maximize", "minimize"] | str,
    test: float,
    baselines: Mapping[str, float],
) -> Verdict:
    """Judge the winner.

    `best` and `default` are validation values of the winner and of its family's default, trained again on the same fresh seeds,
    in the same order; `test` and `baselines` are measured once on the sealed test part. The rule, in this order:

    1. A baseline that is better than the model on the test part wins, by however little: it is simpler.
    2. The winner is better than its default iff it is better on every fresh seed and its mean gain is at least twice that
       gain's standard error over the seeds. One seed has no standard error and proves nothing; with two, a
       winner that is no better still passes about once in seven times.
    3. Else it is not better than the default.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    simpler = max(baselines, key=lambda name: sign * baselines[name], default=None)
    gains = [sign * (ours - theirs) for ours, theirs in zip(best, default, strict=True)]
    reasons = (_confirmation(best, default, gains), *_against(baselines, test))
    if simpler is not None and sign * baselines[simpler] > sign * test:
        return Verdict(f"{_BASELINES.get(simpler, simpler)} is better: use it", reasons)
    return Verdict(BETTER if _is_clear(gains) else NOT_BETTER, reasons)


def _is_clear(gains: Sequence[float]) -> bool:
    if len(gains) < 2 or min(gains) <= 0:
        return False
    return mean(gains) >= 2 * stdev(gains) / math.sqrt(len(gains))


def _confirmation(best: Sequence[float], default: Sequence[float], gains: Sequence[float]) -> str:
    wins = sum(gain > 0 for gain in gains)
    return (
        f"On {len(gains)} fresh seeds the winner's mean is {mean(best):.4g} and its family's default's {mean(default):.4g}; "
        f"it is better on {wins} of {len(gains)}."
    )


def _against(baselines: Mapping[str, float], test: float) -> list[str]:
    return [
        f"On the test rows the model has {test:.4g}, {_BASELINES.get(name, name)} {value:.4g}."
        for name, value in baselines.items()
    ]
