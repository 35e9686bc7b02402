"""Beginning a search or taking it up again: what must be equal, what may differ, what is warned of."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.config import SearchConfig
from automl.coordinator.opening import _require_exact_codes, compare, describe, finished, planned_slots
from automl.data import prepare, spec_for
from automl.errors import ConfigError
from automl.ledger import Attempt, Header
from automl.messages import Field, Spec
from automl.tasks import Choices, load_task

FLOAT = {"kind": "float", "low": 0.0, "high": 1.0, "step": None, "log": False}


def header(**changes: Any) -> Header:
    base = Header(
        uuid="ab" * 16,
        name="bowl-0",
        created_ms=0,
        task={"name": "bowl", "kind": "regression", "source": "here", "metric": "rmse", "direction": "minimize"},
        config=SearchConfig(families=("mlp",)).model_dump(mode="json"),
        spaces={"mlp": {"x": FLOAT}},
        data={"key": "k", "content": "a1" * 32, "rows": 1000},
        code={"git_commit": "", "families": {"mlp": "c0de"}, "versions": {"torch": "2.13.0"}},
    )
    return replace(base, **changes)


def test_a_header_says_in_how_many_folds_few_rows_are_validated(tmp_path: Path) -> None:
    table = tmp_path / "d.csv"
    table.write_text("n,y\n" + "".join(f"{row}.5,{row % 2}\n" for row in range(60)))
    task = load_task(str(table), Choices(target="y"))
    prepared = prepare(task, seed=0, data_folder=tmp_path / "data")
    made = describe("d-0", task, SearchConfig(), ["mlp"], prepared, spec_for(task, prepared))
    assert made.data["folds"] == prepared.ref.folds == 5


def settings(**choices: Any) -> dict[str, Any]:
    return SearchConfig(families=("mlp",), **choices).model_dump(mode="json")


def test_the_same_search_is_taken_up_in_silence() -> None:
    assert compare(header(), header(), strict=True) == []


@pytest.mark.parametrize(
    "choices",
    [{"budget": {"trials": 7}}, {"workers": 3}, {"stall_timeout": 9.0}, {"max_attempts": 5}, {"tracking": False}],
)
def test_how_a_search_is_carried_out_may_differ(choices: dict[str, Any]) -> None:
    assert compare(header(), header(config=settings(**choices)), strict=True) == []


@pytest.mark.parametrize(
    "choices",
    [
        {"seed": 1},
        {"sampler": "qmc"},
        {"pruner": "none"},
        {"max_epochs": 9},
        {"precision": "bf16-true"},
        {"confirm_seeds": 4},
    ],
)
def test_what_makes_it_another_search_is_refused_by_its_flag(choices: dict[str, Any]) -> None:
    flag = "--" + next(iter(choices)).replace("_", "-")
    with pytest.raises(ConfigError, match=f"search 'bowl-0' has {flag} ") as caught:
        compare(header(), header(config=settings(**choices)), strict=False)
    assert "automl searches delete bowl-0" in caught.value.hint


@pytest.mark.parametrize(
    ("now", "difference"),
    [
        ({"x": {**FLOAT, "high": 2.0}}, "mlp.x: float 0..1 -> float 0..2"),
        ({"x": {**FLOAT, "log": True}}, "mlp.x: float 0..1 -> float 0..1 log"),
        ({"x": {**FLOAT, "kind": "int"}}, "mlp.x: float 0..1 -> int 0..1"),
        ({"x": {"kind": "categorical", "choices": ["a", 1]}}, "mlp.x: float 0..1 -> a|1"),
        ({}, "mlp.x: float 0..1 -> absent"),
        ({"x": FLOAT, "y": FLOAT}, "mlp.y: absent -> float 0..1"),
        ({"y": FLOAT}, "mlp.x: float 0..1 -> absent; mlp.y: absent -> float 0..1"),
    ],
)
def test_another_space_is_refused_with_each_difference(now: dict[str, Any], difference: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"the search space changed: {difference}.")):
        compare(header(), header(spaces={"mlp": now}), strict=False)


def test_another_step_is_not_the_same_space() -> None:
    with pytest.raises(ConfigError, match="the search space changed"):
        compare(header(), header(spaces={"mlp": {"x": {**FLOAT, "step": 0.1}}}), strict=False)


def test_other_data_is_refused_with_hashes_and_rows() -> None:
    with pytest.raises(
        ConfigError, match=re.escape("data changed: sha256 a1a1a1a1.. -> b2b2b2b2.., rows 1000 -> 1200.")
    ):
        compare(header(), header(data={"key": "k", "content": "b2" * 32, "rows": 1200}), strict=False)


def test_rows_that_are_read_in_another_way_are_refused_by_column() -> None:
    def data(encoding: str, kind: str) -> dict[str, Any]:
        columns = [{"name": "age", "kind": "number"}, {"name": "city", "kind": kind}]
        return {"key": "k", "content": "a1" * 32, "rows": 1000, "encoding": encoding, "columns": columns}

    stored = header(data=data("aa", "text"))
    with pytest.raises(ConfigError, match=re.escape("read in another way: city: text -> category.")):
        compare(stored, header(data=data("bb", "category")), strict=False)
    with pytest.raises(ConfigError, match=re.escape("read in another way.")):
        compare(stored, header(data=data("bb", "text")), strict=False)
    assert compare(stored, header(data=data("aa", "text")), strict=True) == []
    assert compare(header(), stored, strict=True) == []


def test_other_code_and_versions_are_warned_of_and_refused_when_strict() -> None:
    now = header(code={"git_commit": "", "families": {"mlp": "beef"}, "versions": {"torch": "2.14.0"}})
    assert compare(header(), now, strict=False) == [
        "the code of family 'mlp' changed since this search began: c0de -> beef",
        "torch changed since this search began: 2.13.0 -> 2.14.0",
    ]
    with pytest.raises(ConfigError, match=r"--strict: the code of family 'mlp' changed .* torch changed"):
        compare(header(), now, strict=True)


def given_again(had: dict[str, Any], done: int, asked: dict[str, Any], **stored: Any) -> bool:
    """Whether a search that had a budget, and ended after so many slots in 20 seconds, is still finished when another is asked."""
    slots = {"planned": 40, "complete": done, "pruned": 0, "failed": 0}
    document = {"slots": slots, "seconds": 20.0, "budget": {"trials": None, "seconds": None, **had}}
    return finished(header(result=document, **stored), SearchConfig(budget=asked)) is document  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("had", "done", "asked"),
    [
        ({}, 40, {}),
        ({"trials": 40}, 40, {"trials": 4}),
        ({"trials": 40}, 4, {"trials": 40}),  # its points ran out
        ({"trials": 40}, 4, {"trials": 40, "seconds": 600.0}),
        ({"trials": 40, "seconds": 60.0}, 20, {"trials": 40, "seconds": 60.0}),  # its time ran out
        ({"trials": 40, "seconds": 60.0}, 20, {"trials": 30, "seconds": 50.0}),
        ({"seconds": 60.0}, 20, {"seconds": 60.0}),
        ({"seconds": 60.0}, 20, {"trials": 20}),
        ({"trials": 40}, 40, {"seconds": 20.0}),  # all of it took as long
        ({"trials": 40}, 40, {"trials": 40, "seconds": 600.0}),
    ],
)
def test_a_finished_search_stays_finished(had: dict[str, Any], done: int, asked: dict[str, Any]) -> None:
    assert given_again(had, done, asked)
    assert given_again(had, done, asked, config=settings(budget={"trials": 99}))  # a later run that was cut off


@pytest.mark.parametrize(
    ("had", "done", "asked"),
    [
        ({}, 40, {"trials": 41}),
        ({"trials": 40}, 4, {"trials": 41}),
        ({"trials": 40}, 40, {"trials": 80, "seconds": 600.0}),
        ({"trials": 40, "seconds": 60.0}, 20, {"trials": 40}),
        ({"trials": 40, "seconds": 60.0}, 20, {"trials": 30, "seconds": 61.0}),
        ({"seconds": 60.0}, 20, {"seconds": 61.0}),
        ({"seconds": 60.0}, 20, {"trials": 21}),
        ({"trials": 40}, 40, {"seconds": 21.0}),
    ],
)
def test_more_slots_or_more_time_go_on(had: dict[str, Any], done: int, asked: dict[str, Any]) -> None:
    assert not given_again(had, done, asked)


def test_what_an_older_version_finished_had_the_budget_that_it_stored() -> None:
    stored = header(config=settings(budget={"seconds": 60.0}), result={"slots": {"planned": 9, "complete": 9}})
    assert finished(stored, SearchConfig(budget={"seconds": 60.0}))  # type: ignore[arg-type]
    assert not finished(stored, SearchConfig(budget={"seconds": 61.0}))  # type: ignore[arg-type]
    assert not finished(header(), SearchConfig())


def test_slots_that_were_begun_are_planned_though_fewer_are_asked() -> None:
    begun = [Attempt("trial", slot, 0, 0, "mlp", {}, 0) for slot in (0, 1, 1, 2)]
    budgets = ({"trials": 2}, {"trials": 4}, {"seconds": 9.0})
    asked = [SearchConfig(budget=budget) for budget in budgets]  # type: ignore[arg-type]
    assert [planned_slots(config, begun) for config in asked] == [3, 4, None]


@pytest.mark.parametrize(("precision", "codes"), [("bf16-true", 257), ("16-true", 2049)])
def test_a_precision_that_rounds_codes_is_refused(precision: str, codes: int) -> None:
    spec = Spec((Field("x", "table", (1,), cardinalities=(codes,)),), (), rows=9, classes=2, loss="cross_entropy")
    with pytest.raises(ConfigError, match=f"holds whole numbers up to {codes - 1}.*-mixed"):
        _require_exact_codes(spec, precision)
    _require_exact_codes(spec, precision.replace("true", "mixed"))
