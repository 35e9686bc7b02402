"""Beginning a search or taking it up again: what must be equal, what may differ, what is warned of."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from automl.config import SearchConfig
from automl.coordinator.opening import _require_exact_codes, compare
from automl.errors import ConfigError
from automl.ledger import Header
from automl.messages import Field, Spec

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


@pytest.mark.parametrize(("precision", "codes"), [("bf16-true", 257), ("16-true", 2049)])
def test_a_precision_that_rounds_codes_is_refused(precision: str, codes: int) -> None:
    spec = Spec((Field("x", "table", (1,), cardinalities=(codes,)),), (), rows=9, classes=2, loss="cross_entropy")
    with pytest.raises(ConfigError, match=f"holds whole numbers up to {codes - 1}.*-mixed"):
        _require_exact_codes(spec, precision)
    _require_exact_codes(spec, precision.replace("true", "mixed"))
