"""C8, C9, C16 and C18 of the fault tables: budgets that are senseless or too short, and spaces with fewer points than slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from faultlib import LEFT_OUT, Search, finals, ledger_rows
from toy import Toy

from automl.cli.main import run
from automl.errors import NoUsableTrial

GRID = """
INPUTS = ("table",)
DEFAULT = {"x": 0.1, "kind": "a"}


def suggest(trial, spec):
    return {
        "x": trial.suggest_categorical("x", [0.1, 0.2, 0.3, 0.4]),
        "kind": trial.suggest_categorical("kind", ["a", "b", "c"]),
    }
"""


def assert_twelve_points(folder: Path) -> None:
    """Twelve final slots with twelve different points."""
    assert finals(folder) == list(range(12))
    points = ledger_rows(folder, "SELECT DISTINCT params FROM attempt WHERE final AND kind = 'trial'")
    assert len(points) == 12


def test_a_time_too_short_for_any_trial_is_said(toy: Toy) -> None:
    """C8: before the first trial begins."""
    with pytest.raises(NoUsableTrial, match="no trial completed in the time given; give more with --time") as caught:
        toy.run(budget={"trials": None, "seconds": 0.01})
    assert caught.value.exit_code == 4
    assert caught.value.hint == ""  # nobody left a word
    assert ledger_rows(toy.search, "SELECT count(*) FROM attempt WHERE state = 'open'") == [(0,)]


def test_a_time_that_ends_within_the_first_trial_takes_what_that_has_learned(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C8: a model of half a training is better than none."""
    monkeypatch.setenv("STUB_PAUSE", "0.3")
    toy.run(budget={"trials": None, "seconds": 0.5})
    ended = ledger_rows(toy.search, "SELECT state, json_extract(outcome, '$.steps') FROM attempt WHERE kind = 'trial'")
    assert ended[0][0] == "complete"
    assert ended[0][1] < 5


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--trials", "-1", "--trials must be at least 1, but got -1."),
        ("--trials", "0", "--trials must be at least 1, but got 0."),
        ("--trials", "1.5", "--trials must be a whole number, but got '1.5'."),
        ("--trials", "1e99", "--trials must be a whole number, but got '1e99'."),
        ("--trials", str(10**30), "--trials must be at most 10000000"),
        ("--trials", "", "--trials must be a whole number, but got ''."),
        ("--trials", "nan", "--trials must be a whole number, but got 'nan'."),
        ("--time", "0", "--time must be positive, but got '0'."),
        ("--time", "-5s", "--time must be a duration, but got '-5s'."),
        ("--time", "", "--time must be a duration, but got ''."),
        ("--time", "9" * 400, "--time"),
        ("--max-epochs", "0", "--max-epochs must be at least 1, but got 0."),
        ("--workers", "0", "--workers must be at least 1, but got 0."),
        ("--seed", "-1", "--seed must be at least 0, but got -1."),
    ],
)
def test_a_senseless_budget_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flag: str, value: str, words: str
) -> None:
    """C9: before anything is created."""
    assert run(["search", "wine", f"{flag}={value}"]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_repeated_point_is_a_slot_of_its_own_with_another_seed(toy: Toy) -> None:
    """C16: in a space of one point the budget is spent exactly, on so many seeds of it."""
    toy.run(overrides={"bowl.x": "0.5", "bowl.kind": "a"}, budget={"trials": 5})
    rows = ledger_rows(toy.search, "SELECT DISTINCT params FROM attempt WHERE kind = 'trial'")
    assert [json.loads(params) for (params,) in rows] == [{"x": 0.5, "kind": "a"}]
    assert ledger_rows(toy.search, "SELECT count(DISTINCT seed) FROM attempt WHERE kind = 'trial'") == [(5,)]
    assert finals(toy.search) == [0, 1, 2, 3, 4]


def test_a_grid_gives_each_point_once_and_then_ends(toy: Toy) -> None:
    """C18 without kills: twelve points, though twenty slots were asked for."""
    toy.run(space=GRID, sampler="grid", budget={"trials": 20})
    assert_twelve_points(toy.search)
    assert "the search ended early: every point was tried after 12 slots" in toy.said()


@pytest.mark.slow
def test_retries_of_grid_points_skip_none_and_repeat_none(tmp_path: Path) -> None:
    """C18: workers are killed at four of twelve points, and the coordinator in the midst of them."""
    misbehave = "1:kill 4:kill 8:kill 11:kill"
    choices: dict[str, Any] = {"misbehave": misbehave, "pause": 0.05, "sampler": "grid", "budget": {"trials": 12}}
    first = Search(tmp_path, space=GRID, **choices)
    first.wait_for_trials(7)
    first.kill_all()
    first.process.wait()
    again = Search(tmp_path, space=GRID, **choices)
    assert again.end() == LEFT_OUT, again.errors
    assert_twelve_points(again.search)
    assert ledger_rows(again.search, "SELECT count(*) FROM attempt WHERE state IN ('lost', 'interrupted')") >= [(5,)]
