"""What the sealed test says of the model, alone and against its default and the baselines on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

from automl.winner.sealed import Interval, Scores, bootstrap, paired_difference

DEFAULT, SINGLE = "default", "single"
"""Models of the search itself that are scored beside the exported one; not baselines."""
CHAMPION = "champion"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Values of the steering metric on the test part."""

    test: Interval
    baselines: dict[str, float]
    """Each baseline's own value."""
    gains: dict[str, Interval]
    """How much better the model is than `default`, `single` (where they were scored) and each baseline; positive is better."""


def weigh(metric: str, direction: str, scores: Scores, *, seed: int) -> Evidence:
    """Measure the model and what it is compared with, resampling the same rows for both sides of a difference.

    Not the champion: whether it is beaten is for the gate, and says nothing about this search.
    """
    ours = scores.judged(metric, "model")
    others = {name: scores.judged(metric, name) for name in scores.predictions if name not in ("model", CHAMPION)}
    gains, values = {}, {}
    test = bootstrap(metric, scores.target, ours, seed=seed, clusters=scores.clusters)
    for name, theirs in others.items():
        difference = paired_difference(metric, scores.target, ours, theirs, seed=seed, clusters=scores.clusters)
        gains[name] = difference.as_gain(direction)
        values[name] = test.value - difference.value
    return Evidence(test, {name: value for name, value in values.items() if name not in (DEFAULT, SINGLE)}, gains)
