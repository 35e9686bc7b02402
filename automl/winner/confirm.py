"""What follows the trials, as plain lists of work: confirm rivals on fresh seeds, refit, score the sealed test, export.

Decides who may rival and who wins; trains nothing itself, and carries nothing out: the coordinator does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance
from typing import Any

from automl.coordinator.deadline import Deadline
from automl.coordinator.seeds import confirm_seed
from automl.data import TEST_INPUTS
from automl.direction import is_better, sign
from automl.ledger import Attempt
from automl.messages import Assignment, DataRef, Kind, Member, Outcome, Spec, to_json
from automl.tasks.metrics import EVEN

Outcomes = Mapping[tuple[Kind, int, int], Outcome]

MOST_RIVALS = 6
ALLOWANCE = 0.25
"""Share of the search's epochs that confirmations may cost; the best and its default are always confirmed."""
SURE_SEEDS = 2
"""Fresh seeds that each of several rivals is trained on; more only while they can still matter."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration with what its fresh seeds gave."""

    attempt: Attempt
    """The trial that proposed it."""
    values: tuple[float, ...]
    """One per fresh seed; empty where no time was left to confirm."""
    epochs: int
    """Mean best epoch of the trial and its confirmations, at least 1."""

    @property
    def mean(self) -> float:
        """The confirmed value, or the trial's own where nothing was confirmed."""
        assert self.attempt.value is not None
        return fmean(self.values) if self.values else self.attempt.value

    @property
    def size(self) -> int:
        """Bytes of weights: what one prediction costs, whatever machine measured it."""
        weights = self.attempt.outcome and self.attempt.outcome.artifacts.get("weights")
        return weights.bytes if weights else 0


@dataclass(frozen=True, slots=True)
class Scored:
    """Refitted weights with what they are: members of one role are one model."""

    trial: Attempt
    weights: str
    """Relative path."""
    role: str = "model"
    """`model` is exported; `single` and `default` are only scored beside it."""
    weight: float = 1.0
    is_of_trial: bool = False
    """Whether these are the weights of its trial, since the time cut the refit short."""

    def to_plain(self) -> dict[str, object]:
        """Return what an attempt stores."""
        trial = self.trial
        own = {"slot": trial.slot, "family": trial.family, "params": trial.params}
        return {**own, "weights": self.weights, "role": self.role, "weight": self.weight}


@dataclass(frozen=True, slots=True)
class WinnerWork:
    """Turns candidates into attempts, and attempts into assignments."""

    spec: Spec
    data: DataRef
    metric: str
    direction: str
    seed: int
    seeds: int
    """Fresh seeds per candidate at most."""
    precision: str = "32-true"
    deadline: Deadline | None = None
    """Asked as work begins: when a training ends with what it has, how long predictions may be explained; without it neither."""

    def rivals(self, trials: Sequence[Attempt]) -> list[Attempt]:
        """Return who is confirmed: the best trial and its family's default, then the next best with theirs.

        Those are as many as the allowance pays for, counted in epochs, since seconds would differ from one run to the next.
        """
        ranked = self._ranked(trials)
        left = ALLOWANCE * sum(_epochs(trial) for trial in trials)
        chosen: list[Attempt] = []
        for trial in ranked:
            more = [one for one in _with_default(trial, trials) if one not in chosen]
            cost = self.seeds * sum(_epochs(one) for one in more)
            fits = len(chosen) + len(more) <= MOST_RIVALS and cost <= left
            new = all((trial.family, trial.params) != (one.family, one.params) for one in chosen)
            if not chosen or (fits and new):
                chosen += more
                left -= cost
        return chosen

    def rounds(self, rivals: Sequence[Attempt]) -> list[range]:
        """Which fresh seeds are taken together: two at first, then the others at once, so that no worker waits for a single one.

        One at first where there is only a winner and its default: a winner that does not lead is given up at once. With folds
        a fit is a small part of what a trial cost, and says little by itself.
        """
        sure = min(SURE_SEEDS if len(rivals) > 2 or self.data.folds else 1, self.seeds)
        return [range(sure), range(sure, self.seeds)] if sure < self.seeds else [range(sure)]

    def confirmations(self, candidates: Iterable[Attempt], parts: range) -> list[Attempt]:
        """Each candidate once per fresh seed; the same seeds for all, seed by seed, so that a short time treats all alike."""
        candidates = list(candidates)
        return [self._confirmation(trial, number) for number in parts for trial in candidates]

    def _confirmation(self, trial: Attempt, number: int) -> Attempt:
        """With other time to be cut short by it is another piece of work: values of both must not be compared."""
        part = number if self._longest_fit is None else _hashed([number, self._longest_fit])
        seed = confirm_seed(self.seed, number)
        which = {"number": number, "longest": self._longest_fit}
        return Attempt("confirm", trial.slot, part, 0, trial.family, trial.params, seed, which)

    def is_open(self, candidates: Sequence[Candidate], trials: Iterable[Attempt]) -> bool:
        """Whether another seed could still show that the winner is better than its default: only where it leads so far.

        To stop where it does not lead makes no verdict "better" (it stops for futility alone), and most searches end there.
        """
        winner = self.choose(candidates)
        default = default_of(winner.attempt.family, trials)
        rival = next((one for one in candidates if one.attempt is default), None)
        return rival is not None and rival is not winner and is_better(winner.mean, rival.mean, self.direction)

    def refit(self, trial: Attempt, epochs: int) -> Attempt:
        """A configuration once more on train and validation together, for the confirmed number of epochs.

        For other epochs, or with other time to be cut short by, it is another piece of work: a search that was given more must not
        export what it made with less.
        """
        part = epochs if self._longest_fit is None else _hashed([epochs, self._longest_fit])
        seed = confirm_seed(self.seed, 0)
        return Attempt("refit", trial.slot, part, 0, trial.family, trial.params, seed, {"epochs": epochs})

    def finishing(
        self,
        winner: Candidate,
        scored: Sequence[Scored],
        temperature: float = 1.0,
        champion: dict[str, object] | None = None,
        thresholds: Mapping[str, float] | None = None,
        baselines: str | None = None,
    ) -> list[Attempt]:
        """Export and score: both need only what is there by then, so they run side by side.

        What has the role `model` is exported; all of `scored`, the `champion` (a registered `version` with its bundle's `folder`)
        and the `baselines` (the file of their predictions) are measured on the same rows, in the same reading, each role decided by
        its own of the `thresholds`. Another model of the same slot (another refit, another ensemble) is another piece of work, so the
        part is a hash of what it consists of.
        """
        trial = winner.attempt
        exported = [one for one in scored if one.role == "model"]
        decided = {role: one for role, one in (thresholds or {}).items() if one != EVEN}
        plain = [one.to_plain() for one in exported]
        part = _hashed([plain, temperature, decided.get("model", EVEN)])
        place = (trial.slot, part, 0, trial.family, trial.params, confirm_seed(self.seed, 0))
        common = {"temperature": temperature, "thresholds": decided}
        export = {"members": plain, **common}
        score = {"members": [one.to_plain() for one in scored], **common}
        if champion is not None:
            score["champion"] = champion
        if baselines is not None:
            score["baselines"] = baselines
        return [Attempt("export", *place, export), Attempt("score", *place, score)]

    def baselines(self) -> Attempt:
        """What the winner must beat; it is the same for every winner of this search that had as much time."""
        part = 0 if self._longest_fit is None else _hashed([self._longest_fit])
        return Attempt("baselines", 0, part, 0, "", {}, confirm_seed(self.seed, 0))

    def describe(self, attempt: Attempt) -> Assignment:
        """Say in full what a worker must do. Only `score` is granted the test part, and `baselines` its inputs."""
        place, given = (attempt.attempt, attempt.part), attempt.suggestion
        members = [
            Member(one["slot"], *place, one["family"], one["params"], attempt.seed, one["weights"], one["role"], one["weight"])
            for one in given.get("members", ())
        ]  # fmt: skip
        if not members:  # `weights`: as an older version stored it, whose search was killed during its last steps
            members = [Member(attempt.slot, *place, attempt.family, attempt.params, attempt.seed, given.get("weights"))]
        granted = {"score": ("test",), "baselines": (TEST_INPUTS,)}.get(attempt.kind, ())
        return Assignment(
            id=attempt.key,
            kind=attempt.kind,
            members=tuple(members),
            spec=self.spec,
            data=replace(self.data, parts=("train", "validation", *granted)),
            metric=self.metric,
            direction=self.direction,
            max_resource=given.get("epochs", self.spec.max_resource),
            folds=self._folds(attempt),
            deadline=self._longest(attempt),
            patience=self.spec.patience,
            precision=self.precision,
            champion=(given.get("champion") or {}).get("folder"),
            baselines=given.get("baselines"),
            temperature=given.get("temperature", 1.0),
            thresholds=given.get("thresholds", {}),
            explaining=self.deadline.left_for_explaining() if attempt.kind == "score" and self.deadline else None,
        )

    @property
    def _longest_fit(self) -> float | None:
        return self.deadline.longest_fit if self.deadline is not None else None

    def _longest(self, attempt: Attempt) -> float | None:
        if self.deadline is None:
            return None
        return self.deadline.longest_refit if attempt.kind == "refit" else self.deadline.longest_fit

    def _folds(self, attempt: Attempt) -> tuple[int, ...]:
        """With each fresh seed another fold, so that a winner is not judged by the rows that its trial began with."""
        if attempt.kind != "confirm" or not self.data.folds:
            return ()
        return (validated_fold(fresh_seed(attempt), self.data.folds),)

    def _ranked(self, trials: Iterable[Attempt]) -> list[Attempt]:
        """Return the complete trials, the best first; ties go to the lower validation loss, then to the earlier slot.

        Of classes a tie is what one training row more would change: 50 rows tell no 0.98 from 1, and their loss tells a good deal.
        """

        def rank(trial: Attempt) -> tuple[float, float, int]:
            assert trial.value is not None
            assert trial.outcome is not None
            return -sign(self.direction) * trial.value, trial.outcome.values.get("loss", 0.0), trial.slot

        ranked = sorted((trial for trial in trials if trial.state == "complete" and trial.value is not None), key=rank)
        if not self.spec.classes or not ranked:
            return ranked
        bar = rank(ranked[0])[0] + 1 / max(1, self.spec.rows)
        tied = [trial for trial in ranked if rank(trial)[0] <= bar]
        return sorted(tied, key=lambda trial: rank(trial)[1:]) + ranked[len(tied) :]

    def candidate(self, trial: Attempt, outcomes: Outcomes) -> Candidate:
        """Return a trial with what its confirmations gave."""
        mine = [outcomes.get(self._confirmation(trial, number).work) for number in range(self.seeds)]
        done = [outcome for outcome in mine if outcome is not None and outcome.value is not None]
        assert trial.outcome is not None
        steps = [outcome.best_step for outcome in (trial.outcome, *done)]
        values = tuple(outcome.value for outcome in done if outcome.value is not None)
        return Candidate(trial, values, max(1, round(fmean(steps))))

    def choose(self, candidates: Sequence[Candidate]) -> Candidate:
        """Return the smallest of those within one standard error of the best mean; a tie goes to the earlier slot.

        Candidates with fewer seeds than the first, for want of time, do not count. The standard error pools the candidates'
        variances (one-standard-error rule: Breiman et al., "Classification and Regression Trees", 1984, section 3.4.3).
        """
        upward = sign(self.direction)
        seeds = len(candidates[0].values)
        rivals = [one for one in candidates if len(one.values) >= seeds]
        best = max(upward * one.mean for one in rivals)
        spread = fmean(variance(one.values) for one in rivals) if seeds > 1 else 0.0
        near = [one for one in rivals if upward * one.mean >= best - math.sqrt(spread / max(seeds, 1))]
        return min(near, key=lambda one: (one.size, one.attempt.slot))


def _hashed(content: list[Any]) -> int:
    """31 bits of a hash."""
    return int.from_bytes(hashlib.sha256(to_json(content).encode()).digest()[:4], "big") >> 1


def fresh_seed(confirmation: Attempt) -> int:
    """Return which of the fresh seeds it trains on, counted from 0; an older version stored that as its part."""
    return int(confirmation.suggestion.get("number", confirmation.part))


def has_longest(confirmation: Attempt, longest: float | None) -> bool:
    """Whether it trained with so much time to be cut short by: what had other time is not compared."""
    return confirmation.suggestion.get("longest") == longest


def validated_fold(number: int, folds: int) -> int:
    """The fold that a confirmation validates on: with each fresh seed another, and the trial began with the first."""
    return (number + 1) % folds


def _epochs(trial: Attempt) -> int:
    return trial.outcome.steps if trial.outcome is not None else 0


def default_of(family: str, trials: Iterable[Attempt]) -> Attempt | None:
    """Return a family's default, its first slot; None where that did not complete."""
    first = min((trial for trial in trials if trial.family == family), key=lambda trial: trial.slot, default=None)
    return first if first is not None and first.state == "complete" else None


def _with_default(trial: Attempt, trials: Sequence[Attempt]) -> list[Attempt]:
    default = default_of(trial.family, trials)
    return [trial] if default is None or default is trial else [trial, default]
