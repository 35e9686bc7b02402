"""What a search's result is worth, in words. Decides from confirmed and tested values; computes no metric."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean

import numpy as np

from automl.direction import sign
from automl.rounding import rounded
from automl.winner.evidence import DEFAULT, SINGLE, Evidence
from automl.winner.sealed import Interval

BETTER = "better than default"
NOT_BETTER = "not better than the default"
LEVEL = 0.05
"""Chance of taking a winner for better on fresh seeds when no rival is."""
_BASELINES = {
    "linear": "a linear model",
    "boosted_trees": "gradient boosting",
    "majority": "always the most frequent class",
    "mean": "always the mean",
    "median": "always the median",
    "last_value": "the last value",
    "seasonal_naive": "the last season repeated",
}

_CONSTANT = ("majority", "mean", "median")
"""Baselines that read no input."""

_IS_DEFAULT = "The winner is its family's default: nothing else that was tried took its place."
_IS_REPLACED = (
    "The single winner is its family's default; the ensemble was better on validation rows that chose neither of them."
)
_NO_BASELINES = "There are no baselines to compare the model with: fitting them failed."


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line, and why."""

    words: str
    """`better than default`, `not better than the default`, `gradient boosting is better: use it`, or `not better than always the mean`."""
    reasons: tuple[str, ...]
    """Sentences with the numbers that decided."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """Validation values on the same fresh seeds, none of which the search had used."""

    winner: Sequence[float]
    default: Sequence[float]
    """Of the winner's family."""
    others: Sequence[Sequence[float]] = field(default_factory=list)
    """The other rivals: the winner was picked from among them too."""


def decide(
    fresh: Fresh | None,
    evidence: Evidence,
    direction: str,
    *,
    is_default: bool = False,
    is_replaced: bool = False,
    validation: float | None = None,
) -> Verdict:
    """Judge the winner; `fresh` is None where its single model `is_default` itself, an ensemble took the place of the default
    (`is_replaced`), or the default never completed.

    `validation` is what the validation rows said of it: where the test rows say far less, the reasons end with that.

    1. A baseline wins when the 95 % interval of its difference on the test rows is all in its favour.
    2. A winner whose interval over the constant prediction reaches to 0 or below has not shown that it learned anything.
    3. The winner is better than its default iff it is so on fresh seeds (Dunnett's test of all rivals against the default,
       one-sided, since the winner is the best of several) and on the test rows (95 % interval of the paired difference above 0).
       Seeds alone would not show that a choice fits the validation rows only; test rows alone not that one seed was lucky.
       An ensemble is judged by the fresh seeds of the single winner that it replaced, and by its own test rows. Where that winner
       is the default, the validation rows stand for the seeds: an ensemble is taken only if it is better on those that chose neither.
    4. Else it is not better than the default.
    """
    p = _chance(fresh, direction) if fresh is not None else 1.0
    default = evidence.gains.get(SINGLE if is_replaced else DEFAULT)
    beaten_by = {name: gain for name, gain in evidence.gains.items() if name not in (DEFAULT, SINGLE) and gain.high < 0}
    over_default = [_on_seeds(fresh, p), _on_test(default)]
    if is_default or is_replaced:
        over_default = [_IS_DEFAULT if is_default else _IS_REPLACED]
    reasons = (
        *over_default,
        *_over_single(evidence),
        *_against(evidence),
        *_unlike(validation, evidence.test, direction),
    )
    if beaten_by:
        best = min(beaten_by, key=lambda name: beaten_by[name].value)
        return Verdict(f"{_BASELINES.get(best, best)} is better: use it", reasons)
    constant = next((name for name in _CONSTANT if name in evidence.gains and evidence.gains[name].low <= 0), None)
    if constant is not None:
        return Verdict(f"not better than {_BASELINES[constant]}", reasons)
    clear = (is_replaced or p < LEVEL) and default is not None and default.low > 0
    return Verdict(BETTER if clear else NOT_BETTER, reasons)


def _chance(fresh: Fresh, direction: str) -> float:
    """Return the probability of such a gain on fresh seeds if no rival were better than the default; 1 where nothing shows."""
    from scipy.stats import dunnett  # half a second that only the end of a search needs

    seeds = len(fresh.default)
    rivals = [fresh.winner, *(values for values in fresh.others if len(values) == seeds)]
    if seeds < 2 or len(fresh.winner) != seeds:
        return 1.0
    arms = [sign(direction) * np.asarray(values) for values in (fresh.default, *rivals)]
    if all(np.ptp(arm) == 0 for arm in arms):  # no noise at all: whatever differs, differs
        return 0.0 if arms[1].mean() > arms[0].mean() else 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an arm of equal values is no loss of precision
        test = dunnett(*arms[1:], control=arms[0], alternative="greater", rng=np.random.default_rng(0))
    return float(test.pvalue[0])


def _on_seeds(fresh: Fresh | None, p: float) -> str:
    if fresh is None or not fresh.winner or not fresh.default:
        return "There are no fresh seeds on which the winner and another default could be compared."
    if len(fresh.winner) == 1:
        values = f"the winner has {rounded(fresh.winner[0])} and its family's default {rounded(mean(fresh.default))}"
        return f"On 1 fresh seed {values}: one seed tells no difference from luck."
    return (
        f"On {len(fresh.winner)} fresh seeds the winner's mean is {rounded(mean(fresh.winner))} and its family's default's "
        f"{rounded(mean(fresh.default))} (Dunnett's test: p {'< 0.001' if p < 0.001 else f'= {p:.2g}'})."
    )


def _on_test(gain: Interval | None) -> str:
    if gain is None:
        return "On the test rows no other default was scored."
    return f"On the test rows the winner {gain_words(gain)} its default."


def _over_single(evidence: Evidence) -> list[str]:
    gain = evidence.gains.get(SINGLE)
    if gain is None:
        return []
    return [f"The ensemble {gain_words(gain)} the single winner on the test rows."]


def gain_words(gain: Interval) -> str:
    """Return `gains 0.02 [0.005, 0.04] over`; of less than nothing what is lost."""
    return f"gains {gain} over" if gain.value >= 0 else f"loses {-gain} against"


def _unlike(validation: float | None, test: Interval, direction: str) -> list[str]:
    """To have been chosen by the validation rows flatters a little; this is for what lies beyond the interval by its whole width."""
    upward = sign(direction)
    best = max(upward * test.low, upward * test.high)
    if validation is None or upward * validation - best <= test.high - test.low:
        return []
    return [
        f"On validation rows it had {rounded(validation)}, far from the test rows' {test}: "
        "these are unlike what it learned from. Where rows belong together (a customer's, one picture's in several sizes), "
        "--group COL keeps them in one part; where the world changes, --time-col COL validates on newer rows too."
    ]


def _against(evidence: Evidence) -> list[str]:
    if not evidence.baselines:
        return [_NO_BASELINES]
    others = [f"{_BASELINES.get(name, name)} {rounded(value)}" for name, value in evidence.baselines.items()]
    return [f"The model has {rounded(evidence.test.value)} on the test rows; {', '.join(others)}."]
