"""Sharing a wall-time budget between trials and what follows them. Learns from the trials how long a training takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence

from automl.direction import sign
from automl.ledger import Attempt
from automl.messages import Spec

_SHORTEST_FINISH = 7.0
"""Seconds that are kept back at least for the finish, which is export, its verification, scoring and the report; measured on 2 cores,
see reports/benchmarks.md."""
_FINISH_PER_START = 1.4
"""The finish is expected to take so many times as long as the start did, up to the first trial's leaving for a worker: a slow machine
is slow at both. With 1.2, commands ended after their time (reports/LOG.md)."""
_LONGEST_FINISH = 45.0
"""Seconds that are kept back for the finish at most: a large file makes the start long, and the finish not as much."""
_TRIAL_SHARE = 0.15
"""Share of the budget that one training may take: the winner is trained at least three times, for its trial, to confirm it, and anew."""
_NUMBERS_A_SECOND = 1 << 20
"""Numbers (rows x features) that a model may be given for each second that its training may take. Given more, training would end
within its first epoch, with next to nothing learned."""
_MANY_ROWS = 100_000
"""So many rows are read however short the time is."""
_REFIT_FACTOR = 1.3
"""A refit takes so many times as long as the same training in a trial: it learns from the validation rows too, a quarter more rows."""
_REFITS_KEPT = 1.5
"""For how many refits of the leader, one after the other, time is kept back while trials run. One is the winner's; the half is for
members of an ensemble, of which there may be more than workers."""
_LEADERS = 5
"""The winner, or a member of an ensemble, is expected to be one of so many best trials."""
_CONFIRM_SEEDS, _CONFIRM_SHARE = 3, 0.05
"""On so many fresh seeds a winner should be confirmed. Time for more than one is kept back only up to this share of the budget."""
_STOPPING = 0.5
"""Seconds from telling trials to end until they have."""
_KEPT_UNTIL_COMPLETE = 0.4
"""Of the time for the finish, the part that is kept back while no trial is complete: a model late is better than none in time."""
_TOLERANCE = 0.03
"""Share of the budget by which the command may end late, at most: so long MLflow is waited for."""
_SHORTEST_WAIT = 0.5
"""Seconds that MLflow is waited for even where no time is left."""
_EXPLAIN_SHARE, _EXPLAIN_LEAST, _EXPLAIN_MOST = 0.05, 3.0, 10.0
"""Share of the budget that explanations may take, and its bounds in seconds: to import captum alone takes one to two."""
_FINISH_AFTER_SCORING = 0.5
"""Of the time for the finish, the part that still lies ahead when the test rows are read and explained: that happens beside the export."""
_MOST_KEPT = 0.6
"""Share of the budget that may be kept back from trials at most, whatever is to follow: a search must search."""


class Deadline:
    """When trials must end so that confirmation, refits and export still fit. Without a budget it never comes.

    The order in which time is given away: the refit of the winner, its confirmation against its default, members of an ensemble,
    the default's refit.
    """

    def __init__(
        self,
        seconds: float | None,
        *,
        started: float,
        workers: int,
        direction: str,
        folds: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._started = started
        self._workers = workers
        self._sign = sign(direction)
        self._fits_per_trial = max(1, folds)
        """With folds a trial trains once for each of them; a confirmation and a refit train once."""
        self._clock = clock
        self._defaults: dict[str, int] = {}
        """Family -> its first slot."""
        self._default_took: dict[str, float] = {}
        """Family -> seconds of its default's training."""
        self._leading: list[Attempt] = []
        """The best complete trials, the best first; `_LEADERS` at most."""
        self._start: float | None = None
        """Seconds until the first trial left for a worker."""

    @property
    def is_set(self) -> bool:
        """Whether there is a budget."""
        return self._seconds is not None

    @property
    def longest_fit(self) -> float | None:
        """Seconds after which a training ends with what it has: on large data none would end otherwise. None without a budget.

        With folds a trial may take twice as long: it is confirmed and refitted by single trainings.
        """
        return None if self._seconds is None else _TRIAL_SHARE * self._seconds / max(1.0, self._fits_per_trial / 2)

    @property
    def longest_refit(self) -> float | None:
        """A little longer, since a refit sees the validation rows too, but no longer than time is left; asked as it begins."""
        if self.longest_fit is None:
            return None
        assert self._seconds is not None
        left = self._seconds - self._finish - self._spent
        return min(_REFIT_FACTOR * self.longest_fit, max(left, self.longest_fit / 2))

    def most_rows(self, spec: Spec) -> int | None:
        """Return how many training rows a training may read, so that it sees them more than once on a CPU; None for all."""
        if self.longest_fit is None:
            return None
        width = math.prod(spec.input.shape)
        most = max(_MANY_ROWS, int(self.longest_fit * _NUMBERS_A_SECOND / width))
        return most if most < spec.rows else None

    def learn_start(self, trial: Attempt) -> None:
        """Take how long it took until the first trial left for a worker."""
        if self._start is None:
            self._start = self._spent
        self._meet(trial)

    def learn(self, trial: Attempt) -> None:
        """Take the time and the value of a trial. What follows the trials trains the best one, so that one's time counts.

        It counts at least half as much as the longest of the next best: one of these may win, or be a member of an ensemble.
        """
        self._meet(trial)
        if trial.slot == self._defaults[trial.family]:
            self._default_took[trial.family] = self._training(trial)
        if trial.state == "complete" and trial.value is not None:
            self._leading = sorted([*self._leading, trial], key=self._rank)[:_LEADERS]

    def trials_over(self) -> bool:
        """True when no time is left for trials. A default that leads has nothing to be confirmed against.

        Until one is complete, trials may take most of what else is kept back: a model late is better than none.
        """
        if self._seconds is None:
            return False
        if not self._leading:
            return self._spent >= self._seconds - _KEPT_UNTIL_COMPLETE * min(self._finish, _MOST_KEPT * self._seconds)
        leader = self._leading[0]
        refits = _REFIT_FACTOR * max(_REFITS_KEPT * self._leaders_fit, self._default_took.get(leader.family, 0.0))
        to_come = self._finish + refits + self._confirming(leader, self._seconds)
        return self._spent >= self._seconds - min(to_come, _MOST_KEPT * self._seconds)

    def confirmation_over(self) -> bool:
        """True when no time is left for confirmation: only one refit and export still fit."""
        return self._is_over(self._leaders_fit * _REFIT_FACTOR)

    def seeds_that_fit(self, trials: Sequence[Attempt], wanted: int) -> int:
        """Return on how many fresh seeds these can be trained side by side on all workers, so that refits of the first two still fit.

        Those are the leader and its default, without whose refit nothing is compared on the test rows. One alone is not confirmed:
        it would be compared with nothing.
        """
        if len(trials) < 2:
            return 0
        once, refits = list(map(self._training, trials)), self._side_by_side(map(self._refit, trials[:2]))
        reserved = max(self._leaders_fit * _REFIT_FACTOR, refits)
        return next((n for n in range(wanted, 0, -1) if not self._is_over(self._side_by_side(once * n) + reserved)), 0)

    def can_refit(self, trials: Iterable[Attempt]) -> bool:
        """Whether these can be refitted, each once, side by side on all workers, before the export."""
        distinct = {trial.slot: trial for trial in trials}.values()
        return not self._is_over(self._side_by_side(map(self._refit, distinct)))

    def left_for_views(self) -> float | None:
        """Seconds that MLflow may be waited for in the end; None without a budget. What it lacks then is sent later."""
        if self._seconds is None:
            return None
        return max(_SHORTEST_WAIT, self._seconds * (1 + _TOLERANCE) - self._spent)

    def left_for_explaining(self) -> float:
        """Seconds that explanations may take, asked for when the test rows are about to be read; 0 where none are left."""
        if self._seconds is None:
            return _EXPLAIN_MOST
        share = min(max(_EXPLAIN_SHARE * self._seconds, _EXPLAIN_LEAST), _EXPLAIN_MOST)
        to_come = min(_FINISH_AFTER_SCORING * self._finish, _MOST_KEPT * self._seconds)
        return min(share, max(0.0, self._seconds - to_come - self._spent))

    def _meet(self, trial: Attempt) -> None:
        """A family's first slot is its default, in whatever order trials are told of: one that was lost is tried again later."""
        self._defaults[trial.family] = min(trial.slot, self._defaults.get(trial.family, trial.slot))

    @property
    def _spent(self) -> float:
        return self._clock() - self._started

    @property
    def _finish(self) -> float:
        """Seconds from the last refit to the command's end, as far as the start tells."""
        return max(_SHORTEST_FINISH, min(_LONGEST_FINISH, _FINISH_PER_START * (self._start or 0.0)))

    @property
    def _leaders_fit(self) -> float:
        """Seconds of a training like the leader's, or half as long as the longest of the next best: see `learn`."""
        leader, *others = map(self._training, self._leading) if self._leading else [0.0]
        return max([leader, *(seconds / 2 for seconds in others)])

    def _confirming(self, leader: Attempt, seconds: float) -> float:
        """Seconds for one fresh seed of the leader and its default; for as many as a verdict needs where that takes a small share."""
        if leader.slot == self._defaults[leader.family]:
            return 0.0
        once = self._side_by_side([self._leaders_fit, self._default_took.get(leader.family, 0.0)])
        return _STOPPING + max(once, min(_CONFIRM_SEEDS * once, _CONFIRM_SHARE * seconds))

    def _rank(self, trial: Attempt) -> float:
        assert trial.value is not None
        return -self._sign * trial.value

    def _training(self, trial: Attempt) -> float:
        """Seconds that one of a trial's trainings took."""
        return trial.outcome.cost.get("seconds", 0.0) / self._fits_per_trial if trial.outcome is not None else 0.0

    def _refit(self, trial: Attempt) -> float:
        """Seconds that a trial's refit will take, which ends at the trial's best epoch."""
        outcome = trial.outcome
        share = outcome.best_step / outcome.steps if outcome is not None and outcome.steps else 1.0
        return _REFIT_FACTOR * share * self._training(trial)

    def _side_by_side(self, seconds: Iterable[float]) -> float:
        """How long work takes that the workers share: each takes the next when it is free."""
        busy = [0.0] * self._workers
        for one in seconds:
            first = busy.index(min(busy))
            busy[first] += one
        return max(busy)

    def _is_over(self, training: float) -> bool:
        """Whether it is too late for so many seconds of training and the finish."""
        return self._seconds is not None and self._spent >= self._seconds - self._finish - training
