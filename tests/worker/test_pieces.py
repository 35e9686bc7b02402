"""Rows too large for the device come piece by piece: each once an epoch, repeatably, to families that know nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import pytest
import torch
from scripted import ScriptedChannel

from automl import catalog
from automl.messages import Assignment
from automl.worker import feeds
from automl.worker.callbacks import Listener
from automl.worker.feeds import Held, TrainingFeed
from automl.worker.perform import Places, perform

Assign = Callable[..., Assignment]
ROWS = 1000


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of 13 numbers: pieces of about 20 rows, made of runs of 2."""
    monkeypatch.setattr(feeds, "HELD_BYTES", 1 << 9)
    monkeypatch.setattr(feeds, "PIECE_BYTES", 1 << 10)
    monkeypatch.setattr(feeds, "RUN_BYTES", 1 << 7)
    feeds.hold.cache_clear()


def visited(feed: TrainingFeed) -> list[list[float]]:
    return [chunk.inputs[chunk.order].ravel().tolist() for chunk in feed]


def test_every_row_is_visited_once_an_epoch_in_another_order_each() -> None:
    numbers = torch.arange(float(ROWS))
    feed = TrainingFeed(Held(numbers[:, None], numbers), seed=1)
    first, second = visited(feed), visited(feed)
    assert len(first) == len(feed) == 4
    for pieces in (first, second):
        assert sorted(chain.from_iterable(pieces)) == numbers.tolist()
        assert all(max(piece) - min(piece) > ROWS / 2 for piece in pieces)  # from all over the file
    assert first != second
    assert visited(TrainingFeed(Held(numbers[:, None], numbers), seed=1)) == first


def test_the_last_piece_says_so_and_targets_stay_with_their_rows() -> None:
    numbers = torch.arange(float(ROWS))
    chunks = list(TrainingFeed(Held(numbers[:, None], -numbers, torch.float64), seed=0))
    assert [chunk.is_last for chunk in chunks] == [False, False, False, True]
    assert all(torch.equal(chunk.inputs.ravel(), -chunk.target.double()) for chunk in chunks)


@pytest.mark.parametrize("family", ["mlp", "boosted_trees"])
def test_a_family_learns_as_well_from_pieces(
    assign: Assign, places: Places, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = catalog.space(family).DEFAULT
    (pieces,) = perform(assign(family=family, params=params, epochs=10), ScriptedChannel(), places)
    monkeypatch.setattr(feeds, "HELD_BYTES", 1 << 30)
    feeds.hold.cache_clear()
    (whole,) = perform(assign(family=family, params=params, epochs=10), ScriptedChannel(), places)
    assert pieces.state == whole.state == "complete"
    assert pieces.steps == whole.steps == 10
    assert min(pieces.value, whole.value) > 0.8


def test_a_refit_sees_the_pieces_of_both_parts(assign: Assign, places: Places) -> None:
    (outcome,) = perform(assign(kind="refit", epochs=2), ScriptedChannel(), places)
    assert (outcome.state, outcome.steps) == ("complete", 2)


def test_what_is_loaded_before_a_fit_takes_nothing_from_its_time(assign: Assign) -> None:
    seconds = [0.0]
    listener = Listener(assign(deadline=10.0), 0, ScriptedChannel(), clock=lambda: seconds[0])
    seconds[0] = 100.0
    listener.on_fit_start(None, catalog.module("mlp", assign().spec, catalog.space("mlp").DEFAULT))  # type: ignore[arg-type]
    seconds[0] = 109.0
    assert listener.is_wanted()
    seconds[0] = 110.0
    assert not listener.is_wanted()


def test_a_deadline_is_planned_by_the_pieces_that_are_done(assign: Assign) -> None:
    """The second of four pieces ends after 2 s: in 10 s there is time for 2.5 epochs, and so for two."""
    listener = Listener(assign(epochs=30, deadline=10.0), 0, ScriptedChannel(), clock=iter([0.0, 2.0]).__next__)

    class Loop:
        max_epochs = 30

    class Trainer:
        current_epoch, num_training_batches, fit_loop = 0, 4, Loop()

    listener._plan(Trainer(), 2)  # type: ignore[arg-type]
    assert Trainer.fit_loop.max_epochs == 2
