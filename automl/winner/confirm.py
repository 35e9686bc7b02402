"""What follows the trials, as plain lists of work: confirm on fresh seeds, refit, score the sealed test, export.

Decides which configuration wins; trains nothing itself, and carries nothing out: the coordinator does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean

from automl.ledger import Attempt
from automl.messages import Assignment, DataRef, Kind, Member, Outcome, Spec
from automl.search.seeds import confirm_seed

Outcomes = Mapping[tuple[Kind, int, int], Outcome]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration with what its fresh seeds gave."""

    attempt: Attempt
    """The trial that proposed it."""
    values: tuple[float, ...]
    """One per fresh seed; empty where no time was left to confirm."""
    epochs: int
    """Mean best epoch, at least 1."""

    @property
    def mean(self) -> float:
        """The confirmed value, or the trial's own where nothing was confirmed."""
        assert self.attempt.value is not None
        return fmean(self.values) if self.values else self.attempt.value


@dataclass(frozen=True, slots=True)
class WinnerWork:
    """Turns candidates into attempts, and attempts into assignments."""

    spec: Spec
    data: DataRef
    metric: str
    direction: str
    seed: int
    seeds: int
    """Fresh seeds per candidate."""
    precision: str = "32-true"

    def confirmations(self, candidates: Iterable[Attempt]) -> list[Attempt]:
        """Each candidate once per fresh seed; the same seeds for all, seed by seed, so that a short time treats all alike."""
        candidates = list(candidates)
        return [
            Attempt("confirm", trial.slot, part, 0, trial.family, trial.params, confirm_seed(self.seed, part))
            for part in range(self.seeds)
            for trial in candidates
        ]

    def refit(self, winner: Candidate) -> Attempt:
        """The winner once more on train and validation together, for the confirmed number of epochs."""
        trial = winner.attempt
        seed = confirm_seed(self.seed, 0)
        return Attempt("refit", trial.slot, 0, 0, trial.family, trial.params, seed, {"epochs": winner.epochs})

    def finishing(self, winner: Candidate, weights: str) -> list[Attempt]:
        """Export and score: both need only the refit's weights, so they run side by side."""
        trial = winner.attempt
        seed = confirm_seed(self.seed, 0)
        return [
            Attempt(kind, trial.slot, 0, 0, trial.family, trial.params, seed, {"weights": weights})
            for kind in ("export", "score")
        ]

    def describe(self, attempt: Attempt) -> Assignment:
        """Say in full what a worker must do. Only `score` is granted the test part."""
        member = Member(
            attempt.slot,
            attempt.attempt,
            attempt.part,
            attempt.family,
            attempt.params,
            attempt.seed,
            attempt.suggestion.get("weights"),
        )
        parts = {"score": ("train", "validation", "test")}.get(attempt.kind, ("train", "validation"))
        return Assignment(
            id=attempt.key,
            kind=attempt.kind,
            members=(member,),
            spec=self.spec,
            data=replace(self.data, parts=parts),
            metric=self.metric,
            direction=self.direction,
            max_resource=attempt.suggestion.get("epochs", self.spec.max_resource),
            patience=max(5, self.spec.max_resource // 3),
            precision=self.precision,
        )

    def best_trial(self, trials: Iterable[Attempt]) -> Attempt | None:
        """Return the best complete trial; ties go to the lower validation loss, then to the earlier slot."""
        sign = -1.0 if self.direction == "maximize" else 1.0

        def rank(trial: Attempt) -> tuple[float, float, int]:
            assert trial.value is not None
            assert trial.outcome is not None
            return sign * trial.value, trial.outcome.values.get("loss", 0.0), trial.slot

        complete = [trial for trial in trials if trial.state == "complete" and trial.value is not None]
        return min(complete, key=rank, default=None)

    def candidate(self, trial: Attempt, outcomes: Outcomes) -> Candidate:
        """Return a trial with what its confirmations gave."""
        mine = [outcomes.get(("confirm", trial.slot, part)) for part in range(self.seeds)]
        done = [outcome for outcome in mine if outcome is not None and outcome.value is not None]
        assert trial.outcome is not None
        steps = [outcome.best_step for outcome in done] or [trial.outcome.best_step]
        values = tuple(outcome.value for outcome in done if outcome.value is not None)
        return Candidate(trial, values, max(1, round(fmean(steps))))

    def better(self, one: Candidate, other: Candidate) -> bool:
        """True when `one` confirmed strictly better than `other`."""
        return one.mean > other.mean if self.direction == "maximize" else one.mean < other.mean
