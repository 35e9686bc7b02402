"""Decide trials: which family, which parameters, which to stop. The decision made with Optuna, over slots 0..N-1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from automl.config import SearchConfig
from automl.coordinator.allocation import Allocation
from automl.coordinator.deadline import Deadline
from automl.coordinator.seeds import slot_seed
from automl.coordinator.study import FamilyStudy
from automl.errors import NoUsableTrial
from automl.ledger import Attempt
from automl.messages import Assignment, DataRef, Member, Outcome, Report, Spec

KEPT_PER_FAMILY = 5
"""Best trials of a family whose weights and validation predictions stay on disk."""


class TrialDecision:
    """Slots of one search. The order of slots is the order of proposals, whatever finishes first."""

    def __init__(
        self,
        studies: dict[str, FamilyStudy],
        spec: Spec,
        data: DataRef,
        config: SearchConfig,
        *,
        metric: str,
        direction: str,
        deadline: Deadline | None = None,
        discard: Callable[[Attempt], None] = lambda attempt: None,
    ) -> None:
        """Without a `deadline` time is no matter; `discard` deletes the files of a trial that others have overtaken."""
        self._studies = studies
        self._spec, self._data, self._config = spec, data, config
        self._metric, self._direction = metric, direction
        self._deadline = deadline or Deadline(None, started=0.0, workers=1, direction=direction)
        self._discard = discard
        self._allocation = Allocation(studies, direction, by_time=self._deadline.is_set)
        self._next_slot = 0
        self._defaults: dict[str, int] = {}
        """Family -> its first slot."""
        self._kept: dict[str, list[Attempt]] = {family: [] for family in studies}
        self._reasons: Counter[str] = Counter()
        self._failed_in_a_row = 0
        self._any_complete = False
        self._ended_early = ""

    @property
    def ended_early(self) -> str:
        """Why slots are left unspent, for people; empty while all is well."""
        return self._ended_early

    def recall(self, attempts: list[Attempt]) -> list[Attempt]:
        """Fill studies and history; the unfinished are returned for another attempt."""
        latest: dict[int, Attempt] = {}
        for attempt in attempts:
            latest[attempt.slot] = attempt
        by_slot = [latest[slot] for slot in sorted(latest)]
        for attempt in by_slot:
            self._count(attempt.slot, attempt.family)
        for family, study in self._studies.items():
            study.recall([attempt for attempt in by_slot if attempt.family == family])
        for attempt in by_slot:
            if attempt.final and attempt.outcome is not None:
                self._remember(attempt)
        return [attempt for attempt in by_slot if not attempt.final]

    def next(self) -> Attempt | None:
        """Propose the next slot, while the budget lasts."""
        if not self.has_more():
            return None
        slot = self._next_slot
        families = [family for family, study in self._studies.items() if not study.exhausted]
        if not families:
            self._ended_early = f"every point was tried after {slot} slots"
            return None
        family = self._allocation.next_family(families)
        seed = slot_seed(self._config.seed, slot)
        proposal = self._studies[family].propose(slot, seed)
        self._count(slot, family)
        return Attempt("trial", slot, 0, 0, family, proposal.params, seed, proposal.suggestion)

    def has_more(self) -> bool:
        """True while the budget has slots, and nothing ended the search."""
        slots = self._config.budget.slots
        spent = slots is not None and self._next_slot >= slots
        return not (spent or self._ended_early or self.out_of_time())

    def again(self, attempt: Attempt) -> Attempt:
        """Propose the slot's own point once more."""
        self._studies[attempt.family].propose_again(attempt.slot, attempt.suggestion)
        return attempt.once_more()

    def assignment(self, attempt: Attempt) -> Assignment:
        """Describe a trial for a worker."""
        return Assignment(
            id=attempt.key,
            kind="trial",
            members=(Member(attempt.slot, attempt.attempt, 0, attempt.family, attempt.params, attempt.seed),),
            spec=self._spec,
            data=self._data,
            metric=self._metric,
            direction=self._direction,
            max_resource=self._spec.max_resource,
            folds=tuple(range(self._data.folds)),
            patience=self._spec.patience,
            deadline=self._deadline.longest_fit,
            keep_better_than=self._bar(attempt.family),
            precision=self._config.precision,
        )

    def on_report(self, attempt: Attempt, report: Report) -> bool:
        """Prune, but never a family's default: the search must not end worse than it unnoticed."""
        verdict = self._studies[attempt.family].should_prune(attempt.slot, report.step, report.values)
        return verdict and attempt.slot != self._defaults[attempt.family]

    def marks(self, attempt: Attempt) -> dict[str, object]:
        """Return the pruner's notes."""
        return self._studies[attempt.family].marks(attempt.slot)

    def on_closed(self, attempt: Attempt, outcome: Outcome) -> None:
        """Learn a final outcome. Raises NoUsableTrial when going on is pointless."""
        self._studies[attempt.family].tell(attempt.slot, outcome)
        self._remember(attempt)
        if outcome.fatal:
            raise NoUsableTrial(
                f"slot {attempt.slot} ({attempt.family}): {outcome.reason}.", hint="No other slot can do better."
            )
        if self._failed_in_a_row >= self._config.max_failed:
            if not self._any_complete:
                raise NoUsableTrial(
                    f"{self._failed_in_a_row} slots in a row failed and none completed: {self.reasons()}."
                )
            self._ended_early = f"{self._failed_in_a_row} slots in a row failed: {self.reasons()}"

    def out_of_time(self) -> bool:
        """True once the time for trials is spent."""
        return self._deadline.trials_over()

    def takes_what_there_is(self) -> bool:
        """While no trial is complete: a model of half a training is better than none."""
        return not self._any_complete

    def reasons(self) -> str:
        """Return why slots failed, most frequent first."""
        return "; ".join(f"{count} x {reason}" for reason, count in self._reasons.most_common(5))

    def _count(self, slot: int, family: str) -> None:
        self._next_slot = slot + 1
        self._defaults.setdefault(family, slot)
        self._allocation.give(family)

    def _remember(self, attempt: Attempt) -> None:
        assert attempt.outcome is not None
        self._allocation.learn(attempt)
        if attempt.state in ("complete", "pruned"):
            self._failed_in_a_row = 0
            self._any_complete = self._any_complete or attempt.state == "complete"
        else:
            self._failed_in_a_row += 1
            self._reasons[attempt.reason] += 1
        if attempt.outcome.artifacts:
            self._keep(attempt)

    def _keep(self, attempt: Attempt) -> None:
        kept = self._kept[attempt.family]
        kept.append(replace(attempt, suggestion={}, marks={}))
        kept.sort(key=lambda a: a.value or 0.0, reverse=self._direction == "maximize")
        for worse in kept[KEPT_PER_FAMILY:]:
            self._discard(worse)
        del kept[KEPT_PER_FAMILY:]

    def _bar(self, family: str) -> float | None:
        """The value that a trial must beat to be kept; None while there is room."""
        kept = self._kept[family]
        return kept[-1].value if len(kept) == KEPT_PER_FAMILY else None
