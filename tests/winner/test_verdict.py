"""The verdict: a baseline that is clearly better wins, a gain clear on seeds and on test rows is better, all else is not."""

import numpy as np
import pytest

from automl.winner import Evidence, Fresh, Interval, Scores, decide, weigh

CLEAR, UNCLEAR = Interval(0.02, 0.005, 0.04), Interval(0.02, -0.005, 0.04)
BEHIND = Interval(-0.02, -0.04, -0.005)


def words(winner, default, *others, direction="maximize", on_test=CLEAR, **gains):
    evidence = Evidence(Interval(0.98, 0.96, 0.99), dict.fromkeys(gains, 0.9), {"default": on_test, **gains})
    return decide(Fresh(winner, default, others), evidence, direction).words


def test_a_gain_clear_on_seeds_and_on_test_rows_is_better():
    assert words([0.990, 0.988, 0.989], [0.972, 0.974, 0.973]) == "better than default"


@pytest.mark.parametrize(
    ("winner", "default"),
    [
        ([0.99, 0.97, 0.98], [0.98, 0.98, 0.98]),  # won one, lost one
        ([0.99, 0.99, 0.99], [0.99, 0.99, 0.99]),  # equal without any noise
        ([0.97, 0.97, 0.97], [0.98, 0.98, 0.98]),  # worse
        ([0.999, 0.981, 0.985], [0.95, 0.98, 0.99]),  # by luck
        ([0.99], [0.90]),  # one seed proves nothing
        ([], []),
    ],
)
def test_a_gain_that_is_not_clear_on_seeds_is_not_better(winner, default):
    assert words(winner, default) == "not better than the default"


@pytest.mark.parametrize("gain", [UNCLEAR, BEHIND])
def test_a_gain_on_validation_that_the_test_rows_do_not_show_is_not_better(gain):
    assert words([0.990, 0.988, 0.989], [0.972, 0.974, 0.973], on_test=gain) == "not better than the default"


def test_the_best_of_many_rivals_needs_a_larger_gain_than_a_single_one():
    winner, default = [0.985, 0.991, 0.988], [0.979, 0.985, 0.982]
    assert words(winner, default) == "better than default"
    others = [[0.979, 0.985, 0.982 + shift] for shift in (0.0, 0.001, -0.001, 0.002, -0.002, 0.0005)]
    assert words(winner, default, *others) == "not better than the default"


def test_errors_are_better_when_lower():
    assert words([50.0, 51.0, 50.5], [58.0, 60.0, 59.0], direction="minimize") == "better than default"
    assert words([58.0, 60.0, 59.0], [50.0, 51.0, 50.5], direction="minimize") == "not better than the default"


def test_a_baseline_that_is_clearly_better_wins_over_everything_and_the_best_is_named():
    further = Interval(-0.03, -0.05, -0.01)
    assert words([0.99] * 3, [0.9] * 3, linear=BEHIND) == "a linear model is better: use it"
    both = {"linear": BEHIND, "boosted_trees": further}
    assert words([0.99] * 3, [0.9] * 3, **both) == "gradient boosting is better: use it"


def test_a_model_that_may_have_learned_nothing_is_said_to_be_no_better_than_a_constant():
    barely = Interval(0.01, -0.02, 0.04)
    assert words([0.99] * 3, [0.9] * 3, majority=barely) == "not better than always the most frequent class"
    assert words([0.99] * 3, [0.9] * 3, mean=barely, linear=BEHIND) == "a linear model is better: use it"
    assert words([0.99] * 3, [0.9] * 3, majority=CLEAR) == "better than default"


def test_a_baseline_that_is_better_within_noise_does_not():
    assert words([0.99] * 3, [0.9] * 3, linear=Interval(-0.01, -0.03, 0.01)) == "better than default"


def test_the_default_as_the_winner_is_not_better_than_itself():
    evidence = Evidence(Interval(0.98, 0.96, 0.99), {}, {})
    assert decide(None, evidence, "maximize").words == "not better than the default"


@pytest.mark.parametrize(("gain", "words"), [(CLEAR, "better than"), (UNCLEAR, "not better than the")])
def test_an_ensemble_in_the_place_of_the_default_is_judged_against_it_by_the_test_rows(gain, words):
    evidence = Evidence(Interval(0.98, 0.96, 0.99), {"linear": 0.9}, {"single": gain, "linear": CLEAR})
    found = decide(None, evidence, "maximize", is_replaced=True)
    assert found.words == f"{words} default"
    assert found.reasons[0].startswith("The single winner is its family's default; the ensemble was better")
    assert found.reasons[1].startswith("The ensemble gains 0.02 ")
    assert not any("no other default" in reason for reason in found.reasons)


def test_where_the_default_wins_that_is_what_is_said():
    evidence = Evidence(test=Interval(0.9, 0.8, 1.0), gains={}, baselines={"linear": 0.5})
    found = decide(None, evidence, "maximize", is_default=True)
    assert found.words == "not better than the default"
    assert found.reasons[0] == "The winner is its family's default: nothing else that was tried took its place."
    assert len(found.reasons) == 2


def test_reasons_carry_the_numbers():
    evidence = Evidence(Interval(0.98, 0.96, 0.99), {"linear": 0.95}, {"default": CLEAR, "linear": CLEAR})
    said = " ".join(decide(Fresh([0.99, 0.98, 0.97], [0.98, 0.98, 0.96]), evidence, "maximize").reasons)
    assert all(part in said for part in ("3 fresh seeds", "0.98", "a linear model 0.95", "gains 0.02 [0.005, 0.04]"))


def test_one_fresh_seed_is_said_as_one():
    (said, *_) = decide(Fresh([1.0], [0.99]), Evidence(Interval(0.98, 0.96, 0.99), {}, {}), "maximize").reasons
    assert said == (
        "On 1 fresh seed the winner has 1 and its family's default 0.99: one seed tells no difference from luck."
    )


def test_no_two_reasons_in_a_row_begin_alike():
    behind, baselines = Interval(-2.087, -4.0, 0.5), {"mean": 73.06, "linear": 48.89}
    gains = {"default": behind, "single": behind, **dict.fromkeys(baselines, CLEAR)}
    evidence = Evidence(Interval(51.32, 42.5, 60.5), baselines, gains)
    assert decide(Fresh([51.0, 51.1, 51.2], [61.0, 61.1, 61.2]), evidence, "minimize").reasons[1:] == (
        "On the test rows the winner loses 2.087 [-0.5, 4] against its default.",
        "The ensemble loses 2.087 [-0.5, 4] against the single winner on the test rows.",
        "The model has 51.32 on the test rows; always the mean 73.06, a linear model 48.89.",
    )


def accuracy_task(chance, *, rows=400, rate_ours=0.9, rate_default=0.9):
    """Test rows on which two models are right at given rates, and their (rows, 2) probabilities."""
    target = chance.integers(0, 2, rows)

    def predictions(rate):
        guess = np.where(chance.random(rows) < rate, target, 1 - target)
        return np.eye(2)[guess]

    return Scores(target, {"model": predictions(rate_ours), "default": predictions(rate_default)})


def verdicts(gain, repetitions=100, rivals=4):
    """Share of planted searches called better: seeds have a standard deviation of 0.01, validation rows favour each rival by luck."""
    better = 0
    for repetition in range(repetitions):
        chance = np.random.default_rng(repetition)
        lucky = 0.9 + gain + chance.normal(0, 0.01, rivals)  # what a choice has by fitting the validation rows
        fresh = [list(chance.normal(mean, 0.01, 3)) for mean in lucky]
        winner = fresh.pop(int(np.argmax([np.mean(values[:2]) for values in fresh])))
        default = list(chance.normal(0.9, 0.01, 3))
        if any(np.mean(winner[:seeds]) <= np.mean(default[:seeds]) for seeds in ((2,) if rivals > 1 else (1, 2))):
            continue  # the seeds that are left are not spent
        scores = accuracy_task(chance, rate_ours=0.9 + gain)
        evidence = weigh("accuracy", "maximize", scores, seed=repetition)
        fresh_values = Fresh(winner, default, fresh)
        better += decide(fresh_values, evidence, "maximize").words == "better than default"
    return better


@pytest.mark.slow
@pytest.mark.parametrize("rivals", [1, 4])
def test_planted_equals_are_called_not_better_and_planted_gains_better(rivals):
    """A gain of 6 points of accuracy on 400 test rows, where seeds differ by 1 point."""
    equal, gain = verdicts(0.0, rivals=rivals), verdicts(0.06, rivals=rivals)
    print(f"{rivals} rivals, equal: {100 - equal} of 100 not better; 6 points better: {gain} of 100 better")
    assert 100 - equal >= 90
    assert gain >= 90


@pytest.mark.parametrize(
    ("validation", "test", "direction", "is_said"),
    [
        (0.94, Interval(0.68, 0.62, 0.74), "maximize", True),
        (0.80, Interval(0.68, 0.62, 0.74), "maximize", False),
        (0.40, Interval(0.68, 0.62, 0.74), "maximize", False),
        (1.0, Interval(2.0, 1.7, 2.3), "minimize", True),
        (1.5, Interval(2.0, 1.7, 2.3), "minimize", False),
        (None, Interval(0.68, 0.62, 0.74), "maximize", False),
    ],
)
def test_test_rows_that_are_far_worse_than_validation_rows_are_spoken_of(
    validation: float | None, test: Interval, direction: str, is_said: bool
) -> None:
    reasons = decide(
        None, Evidence(test, {"linear": 0.5}, {}), direction, is_default=True, validation=validation
    ).reasons
    assert ("far from the test rows'" in reasons[-1]) is is_said


def test_where_baselines_could_not_be_fitted_the_reasons_say_so() -> None:
    verdict = decide(None, Evidence(Interval(0.9, 0.8, 1.0), {}, {}), "maximize", is_default=True)
    assert verdict.reasons[-1] == "There are no baselines to compare the model with: fitting them failed."
