"""The verdict: a simpler model that is better wins, a clear gain is better than default, all else is not."""

import pytest

from automl.winner import decide

BASELINES = {"majority": 0.1, "linear": 0.95}


def _words(best, default, *, test=0.98, baselines=BASELINES, direction="maximize"):
    return decide(best, default, direction=direction, test=test, baselines=baselines).words


def test_a_gain_on_every_seed_well_above_its_noise_is_better():
    assert _words([0.990, 0.988], [0.972, 0.974]) == "better than default"


@pytest.mark.parametrize(
    ("best", "default"),
    [
        ([0.99, 0.97], [0.98, 0.98]),  # one seed won, one lost
        ([0.99, 0.99], [0.99, 0.99]),  # the default itself
        ([0.97, 0.97], [0.98, 0.98]),  # worse
        ([0.999, 0.981], [0.95, 0.98]),  # both won, but one by luck
        ([0.99], [0.90]),  # one seed proves nothing
        ([0.99, 0.98], [0.98, 0.98]),  # a tie on one seed
    ],
)
def test_a_gain_that_is_not_clear_is_not_better(best, default):
    assert _words(best, default) == "not better than the default"


def test_errors_are_better_when_lower():
    numbers = {"direction": "minimize", "test": 50.0, "baselines": {"mean": 80.0, "linear": 55.0}}
    assert _words([50.0, 51.0], [58.0, 60.0], **numbers) == "better than default"
    assert _words([58.0, 60.0], [50.0, 51.0], **numbers) == "not better than the default"


def test_a_linear_model_that_is_better_on_the_test_rows_wins_over_everything():
    assert _words([0.99, 0.99], [0.9, 0.9], test=0.94) == "a linear model is better: use it"
    numbers = {"direction": "minimize", "test": 56.0, "baselines": {"mean": 80.0, "linear": 55.0}}
    assert _words([50.0, 51.0], [58.0, 60.0], **numbers) == "a linear model is better: use it"


def test_a_linear_model_that_is_only_equal_does_not():
    assert _words([0.99, 0.99], [0.9, 0.9], test=0.95) == "better than default"


def test_the_better_of_two_baselines_is_named():
    baselines = {"majority": 0.9, "linear": 0.8}
    assert (
        _words([0.9, 0.9], [0.8, 0.8], test=0.7, baselines=baselines)
        == "always the most frequent class is better: use it"
    )


def test_no_baselines_leave_the_default_to_compare_with():
    assert _words([0.99, 0.99], [0.9, 0.9], baselines={}) == "better than default"


def test_the_reasons_carry_the_numbers():
    reasons = decide([0.99, 0.98], [0.97, 0.98], direction="maximize", test=0.96, baselines=BASELINES).reasons
    assert "0.985" in reasons[0]
    assert "1 of 2" in reasons[0]
    assert any("0.96" in reason and "a linear model 0.95" in reason for reason in reasons)


def test_unequal_numbers_of_seeds_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError):
        _words([0.99, 0.98], [0.97])
