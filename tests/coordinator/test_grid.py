"""A grid over a space that nobody listed beforehand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import stubs

from automl.coordinator.grid import grid_points
from automl.coordinator.space import Override


def points(suggest: Any, **overrides: Override) -> list[dict[str, Any]]:
    return grid_points(SimpleNamespace(suggest=suggest), stubs.SPEC, overrides, seed=0)


def branching(trial: Any, spec: Any) -> dict[str, Any]:
    """Two branches of different depth."""
    if trial.suggest_categorical("kind", ["plain", "deep"]) == "plain":
        return {}
    return {"layers": [trial.suggest_int(f"width_{n}", 1, 2) for n in range(trial.suggest_int("depth", 1, 2))]}


def test_each_leaf_of_a_branching_space_is_met_once() -> None:
    found = points(branching)
    assert len(found) == len({tuple(sorted(point.items())) for point in found}) == 1 + 2 + 4


def test_a_range_is_both_ends_and_its_middle_geometric_where_logarithmic() -> None:
    found = points(lambda trial, spec: {"x": trial.suggest_float("x", 1e-4, 1e-2, log=True)})
    assert sorted(point["x"] for point in found) == [1e-4, 1e-3, 1e-2]
    found = points(lambda trial, spec: {"x": trial.suggest_float("x", 0.0, 1.0)})
    assert sorted(point["x"] for point in found) == [0.0, 0.5, 1.0]


def test_integers_keep_their_step_and_small_ranges_are_whole() -> None:
    assert sorted(p["n"] for p in points(lambda trial, spec: {"n": trial.suggest_int("n", 3, 4)})) == [3, 4]
    assert sorted(p["n"] for p in points(lambda trial, spec: {"n": trial.suggest_int("n", 8, 64, step=8)})) == [
        8,
        32,
        64,
    ]


def test_a_persons_range_narrows_the_grid() -> None:
    found = points(stubs.suggest, x=Override(value=0.3), kind=Override(value="b"))
    assert found == [{"x": 0.3, "kind": "b"}]


def test_the_order_follows_the_seed_and_the_points_do_not() -> None:
    one, other = (grid_points(stubs.SPACE, stubs.SPEC, {}, seed) for seed in (1, 2))
    assert one != other
    assert sorted(map(str, one)) == sorted(map(str, other))
    assert one == grid_points(stubs.SPACE, stubs.SPEC, {}, 1)


def test_an_endless_space_is_cut_at_ten_thousand() -> None:
    found = points(lambda trial, spec: {f"x{n}": trial.suggest_float(f"x{n}", 0, 1) for n in range(12)})
    assert len(found) == 10_000
