"""Importance finds what matters, gives nothing to what does not, and is not misled by slots that were stopped early."""

import math
import random

import pytest
from samples import attempt, trials

from automl.report.importance import FEWEST_SLOTS, importances


def _search(count, value, seed=0, state=lambda number: "complete"):
    rng = random.Random(seed)
    found = []
    for number in range(count):
        params = {"lr": 10 ** rng.uniform(-5, -1), "optimizer": rng.choice(["sgd", "adam"]), "idle": rng.random()}
        found.append(attempt(number, value(params, rng), state(number), params=params))
    return trials(found)


def _bowl(params, rng):
    return -((math.log10(params["lr"]) + 3) ** 2) + 0.3 * (params["optimizer"] == "adam") + rng.gauss(0, 0.1)


def test_the_parameter_that_decides_comes_first_and_an_idle_one_may_be_chance():
    first, *_, last = importances(_search(200, _bowl))
    assert (first.parameter, last.parameter) == ("lr", "idle")
    assert first.share > 0.7
    assert first.clear
    assert last.share < 0.05
    assert not last.clear


def test_parameters_without_influence_have_no_share_on_average():
    shares = [
        one.share for seed in range(40) for one in importances(_search(60, lambda params, rng: rng.random(), seed))
    ]
    assert sum(shares) / len(shares) < 0.04


def test_chance_is_claimed_important_once_in_a_hundred():
    clear = sum(
        one.clear for seed in range(150) for one in importances(_search(60, lambda params, rng: rng.random(), seed))
    )
    assert clear <= 0.03 * 450


def test_a_diverged_slot_does_not_outweigh_all_others():
    calm = {one.parameter: one.share for one in importances(_search(100, _bowl))}
    wild = {
        one.parameter: one.share
        for one in importances(_search(100, lambda p, r: _bowl(p, r) * (1e30 if p["lr"] > 0.09 else 1)))
    }
    assert wild["lr"] == pytest.approx(calm["lr"], abs=0.05)


def test_a_slot_stopped_early_ranks_below_all_that_were_not():
    """Values of unfinished slots are not comparable: here they are the highest of all."""

    def value(params, rng):
        return 0.5 if params["optimizer"] == "adam" else 0.9

    rng = random.Random(0)
    slots = []
    for number in range(60):
        params = {"optimizer": rng.choice(["sgd", "adam"]), "lr": rng.random()}
        pruned = params["optimizer"] == "sgd"
        slots.append(
            attempt(
                number, value(params, rng), "pruned" if pruned else "complete", params=params, steps=2 if pruned else 9
            )
        )
    first = importances(trials(slots))[0]
    assert first.parameter == "optimizer"
    assert first.share > 0.9


def test_a_parameter_that_only_some_slots_have_is_judged_on_those():
    slots = []
    for number in range(60):
        momentum = {"momentum": (number % 10) / 10} if number % 2 else {}
        slots.append(attempt(number, momentum.get("momentum", 0.5), params={"lr": number / 60, **momentum}))
    found = {one.parameter: one for one in importances(trials(slots))}
    assert found["momentum"].slots == 30
    assert found["momentum"].clear


def test_too_few_slots_say_nothing():
    assert importances(_search(FEWEST_SLOTS - 1, _bowl)) == []
    assert importances(_search(FEWEST_SLOTS, _bowl)) != []


def test_equal_values_have_no_important_parameter():
    assert all(one.share == 0.0 and not one.clear for one in importances(_search(50, lambda params, rng: 0.5)))
