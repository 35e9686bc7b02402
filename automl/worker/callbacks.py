"""The Lightning callback that ties a fit to its coordinator: reports out, answers in, the best epoch kept. Builds no trainer.

A report does not wait for its answer: the next epoch trains meanwhile, and the answer is taken before that epoch is
validated. So the latency is hidden, and a trial ends at the step at which it was stopped whatever the timing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
from torch import Tensor

from automl.direction import sign
from automl.messages import Assignment, Report, State
from lightning_modules._base import FamilyModule

if TYPE_CHECKING:
    from automl.worker.feeds import EvaluationFeed
    from automl.worker.perform import Channel


@dataclass
class Best:
    """The best epoch so far."""

    step: int
    values: dict[str, float]
    weights: dict[str, Tensor]
    predictions: np.ndarray | None
    """Of the validation part, decoded; None where the family measures by itself."""


@dataclass
class Ending:
    """Why a fit ended before its last epoch."""

    state: State
    reason: str = ""
    fatal: bool = False


@dataclass
class Progress:
    """What a fit left behind."""

    curve: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    """(step, values) per validated epoch."""
    best: Best | None = None
    ending: Ending | None = None
    """None: trained to the end, or to where patience or deadline ended it."""


class Listener(pl.Callback):
    """Tick, obey the answers, end what diverged: enough for a fit that validates nothing.

    Lightning calls `on_train_batch_end` once per chunk; the module calls `is_wanted` once per mini-batch.
    """

    def __init__(
        self, assignment: Assignment, member: int, channel: Channel, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.progress = Progress()
        self._assignment = assignment
        self._member = member
        self._channel = channel
        self._clock = clock
        self._began = clock()
        self._awaits_answer = False
        self.is_finishing = False
        """Told to end with what there is."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Let the module ask after each mini-batch whether it should go on; the time counts from here."""
        assert isinstance(pl_module, FamilyModule)
        self._began = self._clock()
        pl_module.is_wanted = self.is_wanted

    def is_wanted(self) -> bool:
        """Say that training lives, and return whether it should go on; at the deadline the epoch ends as it is."""
        self._channel.tick()
        self._take_answer(wait=False)
        return self.progress.ending is None and not self._is_late()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Before the epoch is validated: take the answer to the one before, end what diverged, and plan by the time that is left."""
        assert isinstance(pl_module, FamilyModule)
        self._plan(trainer, batch_idx + 1)
        self._take_answer(wait=True)
        if self.progress.ending is None and not math.isfinite(pl_module.training_loss):
            self._end_diverged(pl_module.training_loss, trainer)
        if self.progress.ending is not None:
            trainer.limit_val_batches = 0  # should_stop alone would still validate
        trainer.should_stop = trainer.should_stop or self.progress.ending is not None or self._is_late()

    def _plan(self, trainer: pl.Trainer, chunks: int) -> None:
        """Train as many epochs as fit before the deadline, at the pace so far: the learning rate then comes down in time.

        `chunks` of this epoch are done.
        """
        deadline = self._assignment.deadline
        if deadline is None:
            return
        done = trainer.current_epoch + chunks / trainer.num_training_batches
        spent = self._clock() - self._began
        fitting = done + done * max(0.0, deadline - spent) / max(spent, 1e-9)
        trainer.fit_loop.max_epochs = min(self._assignment.max_resource, max(trainer.current_epoch + 1, int(fitting)))

    def _take_answer(self, *, wait: bool) -> None:
        """Obey what has come; an interrupt comes unasked. With `wait`, block until the last report is answered."""
        answer = self._channel.answer(wait=wait and self._awaits_answer)
        if answer is None:
            return
        self._awaits_answer = False
        if answer.act == "stop":
            self.progress.ending = Ending("pruned", f"stopped at epoch {answer.step}")
        elif answer.act == "interrupt":
            self.progress.ending = Ending("interrupted", "interrupted with the search")
        elif answer.act == "finish":
            self.is_finishing = True

    def _end_diverged(self, value: float, trainer: pl.Trainer) -> None:
        what = "NaN" if math.isnan(value) else "inf"
        self.progress.ending = Ending("failed", f"diverged ({what} at epoch {trainer.current_epoch + 1})")

    def _is_late(self) -> bool:
        deadline = self._assignment.deadline
        return self.is_finishing or (deadline is not None and self._clock() - self._began >= deadline)


class Reporter(Listener):
    """Besides, report each epoch, keep the best one's weights, and end when patience or deadline say so."""

    def __init__(
        self,
        assignment: Assignment,
        member: int,
        channel: Channel,
        feed: EvaluationFeed,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_silent: bool = False,
    ) -> None:
        """`feed` is the validation rows'; its last predictions are kept with the best epoch.

        `is_silent`: a further fold, whose epochs are compared with nothing, is not reported.
        """
        super().__init__(assignment, member, channel, clock)
        self._feed = feed
        self._is_silent = is_silent

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record and report the epoch."""
        assert isinstance(pl_module, FamilyModule)
        self._record(trainer, pl_module)
        trainer.should_stop = trainer.should_stop or self.progress.ending is not None

    def _record(self, trainer: pl.Trainer, module: FamilyModule) -> None:
        logged, metric = module.values, self._assignment.metric
        if metric not in logged:
            reason = f"metric '{metric}' was not logged; logged: {', '.join(logged) or 'nothing'}"
            self.progress.ending = Ending("failed", reason, fatal=True)
            return
        broken = [value for value in logged.values() if not math.isfinite(value)]
        if broken:
            self._end_diverged(broken[0], trainer)
            return
        step, values = trainer.current_epoch + 1, {"objective": logged[metric], **logged}
        self.progress.curve.append((step, values))
        if self._is_better(values):
            weights = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
            self.progress.best = Best(step, values, weights, self._feed.predictions)
        is_last = step == trainer.max_epochs or self._is_late() or self._is_out_of_patience(step)
        trainer.should_stop = trainer.should_stop or is_last
        if self._is_silent:
            return
        self._awaits_answer = not is_last
        self._channel.report(Report(self._assignment.id, self._member, step, values, self._clock() - self._began))

    def _is_better(self, values: dict[str, float]) -> bool:
        best = self.progress.best
        return best is None or self._rank(values) > self._rank(best.values)

    def _rank(self, values: dict[str, float]) -> tuple[float, float]:
        """Order by the objective; ties by the lower validation loss."""
        return sign(self._assignment.direction) * values["objective"], -values.get("loss", 0.0)

    def _is_out_of_patience(self, step: int) -> bool:
        best, patience = self.progress.best, self._assignment.patience
        return best is not None and patience is not None and step - best.step >= patience
