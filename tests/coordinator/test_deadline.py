"""A wall-time budget leaves room for what follows the trials. The clock is the test's."""

from __future__ import annotations

import pytest

from automl.coordinator.deadline import Deadline
from automl.ledger import Attempt
from automl.messages import Field, Outcome, Spec


def deadline(seconds: float | None, now: float, workers: int = 2, folds: int = 0) -> Deadline:
    return Deadline(seconds, started=0.0, workers=workers, direction="minimize", folds=folds, clock=lambda: now)


def trial(slot: int, seconds: float, value: float, *, family: str = "mlp", best: int = 10) -> Attempt:
    """It trained for 10 epochs."""
    outcome = Outcome(f"trial-{slot}", 0, "complete", value=value, best_step=best, steps=10, cost={"seconds": seconds})
    return Attempt("trial", slot, 0, 0, family, {}, 0, state="complete", final=True, value=value, outcome=outcome)


def test_without_a_budget_it_never_comes() -> None:
    assert not deadline(None, now=1e9).trials_over()


@pytest.mark.parametrize(("now", "over"), [(92.0, False), (94.0, True)])
def test_trials_leave_the_fixed_share(now: float, over: bool) -> None:
    limit = deadline(100.0, now)
    limit.learn(trial(0, 0.0, 0.5))
    assert limit.trials_over() is over


@pytest.mark.parametrize(("now", "over"), [(97.0, False), (98.0, True)])
def test_until_a_trial_is_complete_they_go_on(now: float, over: bool) -> None:
    assert deadline(100.0, now).trials_over() is over


def test_a_slow_start_leaves_more() -> None:
    now = [10.0]
    limit = Deadline(100.0, started=0.0, workers=2, direction="minimize", clock=lambda: now[0])
    limit.learn_start(trial(0, 1.0, 0.0))
    now[0] = 85.0
    limit.learn_start(trial(1, 1.0, 0.0))  # a later trial says nothing of the start
    limit.learn(trial(0, 0.0, 0.5))
    assert not limit.trials_over()
    now[0] = 87.0
    assert limit.trials_over()


def test_long_trials_leave_more() -> None:
    limit = deadline(100.0, now=74.5)
    limit.learn(trial(0, 1.0, 0.5))
    limit.learn(
        trial(1, 6.0, 0.2)
    )  # a confirmation and one and a half refits: 17.7 s, half a second to end, and 7 s fixed
    assert not limit.trials_over()
    limit.learn(trial(2, 7.0, 0.1))
    assert limit.trials_over()


def test_a_default_that_takes_longer_than_the_leader_leaves_time_for_both() -> None:
    limit = deadline(100.0, now=79.0)
    limit.learn(trial(0, 6.0, 0.5))
    limit.learn(trial(1, 0.5, 0.2))
    assert limit.trials_over()
    assert limit.seeds_that_fit([trial(0, 6.0, 0.5), trial(1, 0.5, 0.2)], 3) == 1


def test_where_trainings_are_short_time_is_kept_for_all_fresh_seeds() -> None:
    for now, over in (
        (87.8, False),
        (88.1, True),
    ):  # 7 s fixed, half a second to end, a second and a half of refits, and 3 x 1 s
        limit = deadline(100.0, now)
        limit.learn(trial(0, 1.0, 0.5))
        limit.learn(trial(1, 0.75, 0.2))
        assert limit.trials_over() is over


def test_a_default_that_leads_leaves_no_time_for_its_confirmation() -> None:
    limit = deadline(100.0, now=77.0)
    limit.learn(trial(0, 7.0, 0.1))
    limit.learn(trial(1, 7.0, 0.2))
    assert not limit.trials_over()
    limit.learn(trial(2, 7.0, 0.05))
    assert limit.trials_over()


def test_the_leading_trial_counts_and_the_longest_half() -> None:
    limit = deadline(100.0, now=77.0)
    limit.learn(trial(0, 1.0, 0.2))
    limit.learn(trial(1, 12.0, 0.3, family="slow"))
    assert not limit.trials_over()
    limit.learn(trial(2, 12.0, 0.1, family="slow"))
    assert limit.trials_over()


def test_long_trials_that_are_far_from_leading_leave_no_more() -> None:
    limit = deadline(100.0, now=85.0)
    limit.learn(trial(0, 15.0, 0.9, family="slow"))
    limit.learn(trial(1, 0.5, 0.1))
    assert limit.trials_over()
    for slot in range(2, 6):
        limit.learn(trial(slot, 0.5, 0.2))
    assert not limit.trials_over()


def test_the_greatest_value_leads_where_it_is_to_be_maximized() -> None:
    limit = Deadline(100.0, started=0.0, workers=2, direction="maximize", clock=lambda: 77.0)
    limit.learn(trial(0, 3.0, 0.2))
    limit.learn(trial(1, 7.0, 0.1))
    assert not limit.trials_over()
    limit.learn(trial(2, 7.0, 0.3))
    assert limit.trials_over()


@pytest.mark.parametrize(
    ("seconds", "rows", "width", "most"),
    [
        (600.0, 10_000_000, 100, 943_718),  # 90 s of 2**20 numbers
        (600.0, 500_000, 100, None),
        (60.0, 3_000_000, 1000, 100_000),
        (60.0, 60_000, 12_288, None),
        (None, 10_000_000, 100, None),
    ],
)
def test_of_very_many_rows_a_training_reads_what_it_can_see_more_than_once(
    seconds: float | None, rows: int, width: int, most: int | None
) -> None:
    spec = Spec((Field("x", "table", (width,)),), (Field("y", "number", (1,)),), rows, 0, "mse")
    assert deadline(seconds, now=0.0).most_rows(spec) == most


def test_views_are_waited_for_until_a_little_after_the_end() -> None:
    assert deadline(100.0, now=90.0).left_for_views() == pytest.approx(13.0)
    assert deadline(100.0, now=200.0).left_for_views() == 0.5
    assert deadline(None, now=1.0).left_for_views() is None


def test_a_short_budget_still_searches() -> None:
    for now, over in ((3.9, False), (4.1, True)):
        limit = deadline(10.0, now)
        limit.learn(trial(0, 0.0, 0.5))
        assert limit.trials_over() is over


def test_more_refits_than_workers_take_longer() -> None:
    limit = deadline(100.0, now=84.0)
    one, two, three = (trial(slot, 5.0, 0.2) for slot in range(3))  # a round of refits: 6.5 s, and 7 s fixed
    assert limit.can_refit([one, two, one])
    assert not limit.can_refit([one, two, three])
    assert deadline(None, now=1e9).can_refit([one, two, three])


def test_a_refit_ends_at_the_best_epoch() -> None:
    assert not deadline(100.0, now=84.0).can_refit([trial(0, 10.0, 0.2)])
    assert deadline(100.0, now=84.0).can_refit([trial(0, 10.0, 0.2, best=5)])


def test_confirmation_may_use_what_trials_may_not() -> None:
    limit = deadline(100.0, now=79.0)
    one, two = trial(0, 6.0, 0.3), trial(1, 6.0, 0.2)
    limit.learn(one)
    limit.learn(two)
    assert limit.trials_over()
    assert limit.seeds_that_fit([one, two], 3) == 1
    assert limit.seeds_that_fit([one, two, trial(2, 6.0, 0.1)], 3) == 0
    assert limit.seeds_that_fit([one], 3) == 0  # with nothing to compare it with
    assert deadline(None, now=0.0).seeds_that_fit([one], 3) == 0
    assert deadline(None, now=1e9).seeds_that_fit([one, two], 3) == 3
    assert not limit.confirmation_over()


def test_one_training_may_take_a_share_of_the_budget() -> None:
    assert deadline(100.0, now=0.0).longest_fit == pytest.approx(15.0)
    assert deadline(100.0, now=0.0, folds=5).longest_fit == pytest.approx(6.0)
    assert deadline(None, now=0.0).longest_fit is None


def test_a_refit_may_take_what_is_left() -> None:
    assert deadline(100.0, now=0.0).longest_refit == pytest.approx(19.5)
    assert deadline(100.0, now=80.0).longest_refit == pytest.approx(13.0)
    assert deadline(100.0, now=99.0).longest_refit == pytest.approx(7.5)
    assert deadline(None, now=0.0).longest_refit is None


@pytest.mark.parametrize(
    ("seconds", "now", "left"),
    [
        (None, 1e9, 10.0),
        (30.0, 15.0, 3.0),
        (30.0, 25.0, 1.5),
        (30.0, 27.0, 0.0),
        (100.0, 80.0, 5.0),
        (900.0, 0.0, 10.0),
    ],
)
def test_explanations_take_a_small_share_of_what_is_left_beside_the_export(
    seconds: float | None, now: float, left: float
) -> None:
    assert deadline(seconds, now).left_for_explaining() == pytest.approx(left)


def test_a_default_that_was_lost_and_tried_again_is_still_the_default() -> None:
    limit = deadline(100.0, now=75.0)
    limit.learn(trial(1, 1.0, 0.5))
    limit.learn(trial(0, 8.0, 0.1))  # it leads: 15.6 s of refits and 7 s fixed, and nothing to be confirmed against
    assert not limit.trials_over()
