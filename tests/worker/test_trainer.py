"""The lean trainer is still Lightning: callbacks, precision and counters work, and chunks are walked as plain batches would be."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins import MixedPrecision
from scripted import ScriptedChannel

from automl import catalog
from automl.messages import Assignment
from automl.worker.callbacks import Listener
from automl.worker.feeds import EvaluationFeed, TrainingFeed, held_schema, hold
from automl.worker.perform import Places, perform
from automl.worker.trainer import fit, input_dtype, training_device
from lightning_modules._base import FamilyModule
from lightning_modules._training import SCHEDULES, mini_batches

Assign = Callable[..., Assignment]


class Foreign(pl.Callback):
    """A callback that knows nothing of us."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rates: list[float] = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
        self.calls.append("batch")
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_end(self, trainer, module) -> None:  # type: ignore[no-untyped-def]
        self.calls.append("validation")


def fit_here(
    assignment: Assignment, places: Places, *callbacks: pl.Callback, precision: str = "32-true"
) -> tuple[pl.Trainer, FamilyModule]:
    member, device, dtype = assignment.members[0], training_device(), input_dtype(precision)
    torch.manual_seed(member.seed)
    module = catalog.module(member.family, assignment.spec, member.params)
    training = TrainingFeed(hold(places.data, assignment.data, "train", device, dtype), member.seed)
    rows = hold(places.data, assignment.data, "validation", device, dtype)
    validation = EvaluationFeed(rows, held_schema(places.data, assignment.data), assignment.metric)
    epochs = assignment.max_resource
    return fit(module, training, validation, epochs=epochs, precision=precision, callbacks=callbacks), module


def test_foreign_callbacks_hear_of_every_chunk_and_validation(assign: Assign, places: Places) -> None:
    foreign = Foreign()
    fit_here(assign(epochs=3), places, foreign)
    assert foreign.calls == ["batch", "validation"] * 3


def test_a_deadline_that_all_epochs_do_not_fit_into_brings_the_learning_rate_down_in_time(
    assign: Assign, places: Places
) -> None:
    """The clock tells a second per epoch; of 30 epochs 6 fit."""
    foreign, now = Foreign(), itertools.count(0.0, 1.0)
    params = {"depth": 1, "width": 16, "dropout": 0.0, "lr": 0.01, "schedule": "cosine"}
    assignment = assign(epochs=30, params=params, deadline=6.5)

    class Seconds(Foreign):
        seconds = 0.0

        def on_train_epoch_start(self, trainer, module) -> None:  # type: ignore[no-untyped-def]
            Seconds.seconds = next(now) + 1.0

    listener = Listener(assignment, 0, ScriptedChannel(), clock=lambda: Seconds.seconds)
    trainer, _ = fit_here(assignment, places, Seconds(), listener, foreign)
    assert trainer.current_epoch == 6
    assert foreign.rates[-1] < 0.1 * max(foreign.rates)
    assert foreign.rates == sorted(foreign.rates, reverse=True)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true", "64-true"])
def test_every_mini_batch_is_a_global_step_under_each_precision(assign: Assign, places: Places, precision: str) -> None:
    assignment = assign(epochs=3)
    trainer, module = fit_here(assignment, places, precision=precision)
    assert trainer.global_step == 3 * -(-assignment.spec.rows // (assignment.spec.rows // 8))
    assert np.isfinite(module.training_loss)
    assert module.values["accuracy"] > 0.5


def test_mixed_precision_passes_through_perform(assign: Assign, places: Places) -> None:
    (outcome,) = perform(assign(epochs=6, precision="bf16-mixed"), ScriptedChannel(), places)
    assert outcome.state == "complete"
    assert outcome.value > 0.8


def test_with_a_gradient_scaler_gradients_are_clipped_after_they_are_unscaled(assign: Assign, places: Places) -> None:
    assignment = assign(epochs=1, params={"depth": 1, "width": 16, "dropout": 0.0, "clip": 0.01})
    norms: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
            norms.append(torch.nn.utils.get_total_norm([weight.grad for weight in module.parameters()]).item())

    member = assignment.members[0]
    module = catalog.module(member.family, assignment.spec, member.params)
    rows = hold(places.data, assignment.data, "train", torch.device("cpu"), torch.float32)
    scaled = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=4.0, growth_interval=1))
    trainer = pl.Trainer(
        plugins=[scaled],
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        callbacks=[Watch()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, TrainingFeed(rows, 0))
    assert scaled.scaler is not None
    assert scaled.scaler.get_scale() > 4.0  # it took part
    assert 0 < max(norms) <= 0.01 + 1e-6
    assert trainer.global_step == -(-assignment.spec.rows // (assignment.spec.rows // 8))


def test_a_foreign_callback_may_stop_the_fit(assign: Assign, places: Places) -> None:
    class Stopper(pl.Callback):
        def on_validation_end(self, trainer, module) -> None:  # type: ignore[no-untyped-def]
            trainer.should_stop = trainer.current_epoch == 1

    trainer, _ = fit_here(assign(epochs=9), places, Stopper())
    assert trainer.current_epoch == 2


def test_the_schedule_reaches_the_optimizer(assign: Assign, places: Places) -> None:
    foreign = Foreign()
    params = {"depth": 1, "width": 16, "dropout": 0.0, "lr": 0.01, "schedule": "cosine"}
    fit_here(assign(params=params, epochs=4), places, foreign)
    assert foreign.rates == sorted(foreign.rates, reverse=True)
    assert foreign.rates[0] == pytest.approx(0.01, rel=0.2)
    assert foreign.rates[-1] < 0.001


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_peaks_at_the_full_rate(name: str) -> None:
    factors = [SCHEDULES[name](step / 100) for step in range(101)]
    assert max(factors) == pytest.approx(1.0, abs=1e-3)
    assert min(factors) >= -1e-9


def test_mini_batches_are_even_and_cover_each_row_once() -> None:
    parts = mini_batches(torch.arange(129), 128)
    assert [len(part) for part in parts] == [65, 64]
    assert torch.equal(torch.cat(parts), torch.arange(129))


def test_gradients_are_clipped(assign: Assign, places: Places) -> None:
    norms: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:  # type: ignore[no-untyped-def]
            gradients = [weight.grad for weight in module.parameters()]
            norms.append(torch.nn.utils.get_total_norm(gradients).item())

    params = {"depth": 1, "width": 16, "dropout": 0.0, "clip": 0.01}
    fit_here(assign(params=params), places, Watch())
    assert max(norms) <= 0.01 + 1e-6


def test_a_large_part_is_evaluated_in_slices(assign: Assign, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    _, module = fit_here(assign(epochs=2), places)
    whole = dict(module.values)
    monkeypatch.setattr("automl.worker.feeds._SLICE_VALUES", 100)
    _, module = fit_here(assign(epochs=2), places)
    assert module.values["accuracy"] == whole["accuracy"]
    assert module.values["loss"] == pytest.approx(whole["loss"], rel=1e-5)


def test_arrays_are_read_once_per_process(assign: Assign, places: Places) -> None:
    assignment = assign()
    perform(assignment, ScriptedChannel(), places)
    before = hold.cache_info()
    perform(assignment, ScriptedChannel(), places)
    assert hold.cache_info().misses == before.misses


def test_a_family_has_all_of_lightnings_hooks(assign: Assign, places: Places, add_family: Callable[[str], str]) -> None:
    family = add_family(
        """
def on_train_epoch_start(self):
    self.heard = [*getattr(self, "heard", []), self.trainer.current_epoch]
"""
    )
    _, module = fit_here(assign(family=family, params={}, epochs=2), places)
    assert isinstance(module, pl.LightningModule)
    assert module.heard == [0, 1]


def test_several_optimizers_are_stepped_in_turn(
    assign: Assign, places: Places, add_family: Callable[[str], str]
) -> None:
    family = add_family(
        """
def configure_optimizers(self):
    halves = list(self.parameters())
    return [torch.optim.SGD(halves[:2], lr=0.01), torch.optim.SGD(halves[2:], lr=0.01)]

def losses(self, batch, step):
    yield from super().losses(batch, step)
    yield from super().losses(batch, step)
"""
    )
    assignment = assign(family=family, params={}, epochs=2)
    trainer, _ = fit_here(assignment, places)
    assert trainer.global_step == 2 * 2 * -(-assignment.spec.rows // (assignment.spec.rows // 8))
