"""A wall-time budget leaves room for what follows the trials. The clock is the test's."""

from __future__ import annotations

import pytest

from automl.coordinator.deadline import Deadline


def deadline(seconds: float | None, now: float, workers: int = 2) -> Deadline:
    return Deadline(seconds, started=0.0, workers=workers, confirmations=4, clock=lambda: now)


def test_without_a_budget_it_never_comes() -> None:
    assert not deadline(None, now=1e9).trials_over()


@pytest.mark.parametrize(("now", "over"), [(91.0, False), (93.0, True)])
def test_trials_leave_the_fixed_share(now: float, over: bool) -> None:
    assert deadline(100.0, now).trials_over() is over


def test_a_slow_start_leaves_more() -> None:
    now = [5.0]
    limit = Deadline(100.0, started=0.0, workers=2, confirmations=4, clock=lambda: now[0])
    limit.learn_start()
    now[0] = 88.0
    limit.learn_start()  # a later trial says nothing of the start
    assert not limit.trials_over()
    now[0] = 89.0
    assert limit.trials_over()


def test_long_trials_leave_more() -> None:
    limit = deadline(100.0, now=75.0)
    limit.learn("mlp", 5.0, 0.2)  # two rounds of confirmation and a longer refit: 16.5 s, and 8 s fixed
    assert not limit.trials_over()
    limit.learn("mlp", 6.0, 0.3)
    assert limit.trials_over()


def test_the_leading_familys_trials_count() -> None:
    limit = deadline(100.0, now=75.0)
    limit.learn("mlp", 1.0, 0.2)
    limit.learn("slow", 30.0, 0.3)
    assert not limit.trials_over()
    limit.learn("slow", 30.0, 0.1)
    assert limit.trials_over()


def test_views_are_waited_for_until_a_little_after_the_end() -> None:
    assert deadline(100.0, now=90.0).left_for_views() == pytest.approx(13.0)
    assert deadline(100.0, now=200.0).left_for_views() == 0.5
    assert deadline(None, now=1.0).left_for_views() is None


def test_a_short_budget_still_searches() -> None:
    assert not deadline(10.0, now=3.9).trials_over()
    assert deadline(10.0, now=4.1).trials_over()


def test_more_refits_than_workers_take_longer() -> None:
    limit = deadline(100.0, now=80.0)
    limit.learn("mlp", 5.0, 0.2)  # a round of refits: 6.5 s, and 8 s fixed
    assert not limit.refits_over(2)
    assert limit.refits_over(3)
    assert not deadline(None, now=1e9).refits_over(100)


def test_confirmation_may_use_what_trials_may_not() -> None:
    limit = deadline(100.0, now=80.0)
    limit.learn("mlp", 6.0, 0.2)
    assert limit.trials_over()
    assert not limit.confirmation_over()


def test_one_training_may_take_a_share_of_the_budget() -> None:
    assert deadline(100.0, now=0.0).longest_fit(folds=0) == pytest.approx(15.0)
    assert deadline(100.0, now=0.0).longest_fit(folds=5) == pytest.approx(6.0)
    assert deadline(None, now=0.0).longest_fit(folds=0) is None


@pytest.mark.parametrize(
    ("seconds", "now", "left"),
    [
        (None, 1e9, 10.0),
        (30.0, 15.0, 3.0),
        (30.0, 24.5, 1.5),
        (30.0, 27.0, 0.0),
        (100.0, 80.0, 5.0),
        (900.0, 0.0, 10.0),
    ],
)
def test_explanations_take_a_small_share_of_what_is_left_beside_the_export(
    seconds: float | None, now: float, left: float
) -> None:
    assert deadline(seconds, now).left_for_explaining() == pytest.approx(left)
