"""The gate: a new model takes the champion's place only where it is better on the same test rows."""

import numpy as np
import pytest

from automl.winner.evidence import weigh
from automl.winner.gate import challenge
from automl.winner.sealed import Scores

ROWS = 300


def scores_of(right, other):
    """Two classifiers, by which rows each has right."""
    target = np.zeros(len(right), dtype=np.int64)
    chosen = {name: np.eye(2)[np.where(hits, 0, 1)] for name, hits in {"model": right, "champion": other}.items()}
    return Scores(target, chosen)


def hits(wrong):
    found = np.ones(ROWS, dtype=bool)
    found[:wrong] = False
    return found


def gate(scores, champion=3, trouble="", metric="accuracy", direction="maximize"):
    folder = {"version": champion, "folder": "champion/v-0", "trouble": ""}
    return challenge(metric, direction, scores, folder, trouble, seed=0)


def test_without_a_champion_the_first_model_takes_the_place():
    found = gate(scores_of(hits(0), hits(0)), champion=None)
    assert (found.moves, found.champion) == (True, None)


def test_a_clear_gain_moves_the_alias():
    found = gate(scores_of(hits(3), hits(30)))
    assert found.moves
    assert found.gain.low > 0
    assert "better" in found.why


@pytest.mark.parametrize(("ours", "theirs"), [(10, 10), (30, 3)])
def test_an_equal_or_worse_model_does_not(ours, theirs):
    assert not gate(scores_of(hits(ours), hits(theirs))).moves


def test_five_rows_won_and_none_lost_are_too_few():
    """Resampling calls this a gain: its interval lies above 0."""
    found = gate(scores_of(hits(0), hits(5)))
    assert found.gain.low > 0
    assert not found.moves
    assert gate(scores_of(hits(0), hits(6))).moves


def test_a_champion_that_was_not_scored_keeps_its_place():
    scores = scores_of(hits(0), hits(200))
    del scores.predictions["champion"]
    found = gate(scores, trouble="the champion cannot be scored: other columns")
    assert (found.moves, found.why) == (False, "the champion cannot be scored: other columns")


def test_of_an_error_less_is_better():
    rng = np.random.default_rng(0)
    target = rng.normal(size=ROWS)
    near, far = (target + scale * rng.normal(size=ROWS) for scale in (0.1, 1.0))
    for ours, theirs, moves in ((near, far, True), (far, near, False)):
        found = gate(Scores(target, {"model": ours, "champion": theirs}), metric="rmse", direction="minimize")
        assert found.moves is moves
        assert (found.gain.value > 0) is moves


def test_of_equal_models_few_move_the_alias():
    """Both are right on 95 % of the rows, independently: at most one in twenty may look better."""
    rng = np.random.default_rng(0)
    moved = sum(gate(scores_of(rng.random(ROWS) < 0.95, rng.random(ROWS) < 0.95)).moves for _ in range(100))
    assert moved <= 5


def test_the_champion_is_no_baseline_of_the_search():
    evidence = weigh("accuracy", "maximize", scores_of(hits(30), hits(3)), seed=0)
    assert "champion" not in {*evidence.baselines, *evidence.gains}
