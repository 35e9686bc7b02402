"""What MLflow is told of a search as a whole."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stubs

from automl.ledger import Attempt, Header, Ledger
from automl.messages import Outcome
from automl.tracking.records import record

RESULT: dict[str, Any] = {
    "seconds": 2.0,
    "verdict": "better",
    "baselines": {"linear": 0.5, "naive": None},
    "report": "r/index.html",
}


def of(header: Header, topic: str, **choices: Any) -> dict[str, Any]:
    return record(header, "mlflow", 1, topic, None, **choices)


def test_the_metric_is_the_one_that_steered_and_an_unknown_commit_is_no_tag() -> None:
    header = stubs.header()
    unset = replace(header, config={**header.config, "metric": None}, code={"git_commit": ""})
    told = of(unset, "search")
    assert told["params"]["metric"] == "loss"
    assert "git_commit" not in told["tags"]
    assert of(header, "search")["tags"]["git_commit"] == "0" * 40


def test_a_resumed_search_ends_with_its_last_attempt() -> None:
    header = replace(stubs.header(), result=RESULT)
    for topic in ("end", "export"):
        assert of(header, topic)["ended_ms"] == header.created_ms + 2000
        assert of(header, topic, closed_ms=header.created_ms + 500)["ended_ms"] == header.created_ms + 2000
        assert of(header, topic, closed_ms=header.created_ms + 86_400_000)["ended_ms"] == header.created_ms + 86_400_000


def test_the_end_tells_the_baselines_and_where_the_report_is() -> None:
    told = of(replace(stubs.header(), result=RESULT), "end")
    assert told["metrics"] == {"seconds": 2.0, "baseline/linear": 0.5}
    assert told["note"] == "**better**: `automl report bowl-0`; the whole report is the artifact `report/index.html`"
    assert "artifact" not in of(replace(stubs.header(), result={"verdict": "x"}), "end")["note"]


BEST = {"family": "mlp", "trial_value": 0.1, "validation": 0.2, "test": 0.3, "test_interval": [0.25, 0.35]}


def test_the_parent_is_sorted_by_what_was_confirmed_and_the_test_value_stands_beside_it() -> None:
    result = {**RESULT, "best": BEST, "default": {"validation": 0.4}, "slots": {"complete": 3}}
    told = of(replace(stubs.header(), result=result), "end")["metrics"]
    assert (told["objective"], told["test"], told["default_validation"]) == (0.2, 0.3, 0.4)
    assert told["slots_complete"] == 3


def test_a_version_carries_the_test_value_with_its_interval() -> None:
    told = of(replace(stubs.header(), result={**RESULT, "best": BEST}), "export")
    assert told["metrics"] == {"validation": 0.2, "test": 0.3, "test_low": 0.25, "test_high": 0.35}
    assert {name: told["tags"][name] for name in told["metrics"]} == {
        "validation": "0.2", "test": "0.3", "test_low": "0.25", "test_high": "0.35",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("challenge", "champion_was", "moves"),
    [
        ({"champion": 3, "moves": False}, 3, False),
        ({"champion": 3, "moves": True}, 3, True),
        ({"champion": None, "moves": True}, None, True),
        (None, None, True),  # nobody could say who the champion is: the place is taken only if it is free
    ],
)
def test_the_alias_moves_as_the_gate_decided(
    challenge: dict[str, Any] | None, champion_was: int | None, moves: bool
) -> None:
    told = of(replace(stubs.header(), result={**RESULT, "challenge": challenge}), "export")
    assert (told["champion_was"], told["moves"]) == (champion_was, moves)


@pytest.mark.parametrize(
    ("default", "said"), [({"slot": 3}, "the default itself won"), ({"slot": 0}, "not better than the default")]
)
def test_a_default_that_won_is_told_as_the_report_tells_it(default: dict[str, int], said: str) -> None:
    result = {**RESULT, "verdict": "not better than the default", "best": {"slot": 3}, "default": default}
    header = replace(stubs.header(), result=result)
    assert of(header, "end")["tags"]["verdict"] == said
    assert of(header, "end")["note"].startswith(f"**{said}**")
    assert of(header, "export")["tags"]["verdict"] == said


def test_a_ledger_knows_when_its_last_attempt_ended(tmp_path: Path) -> None:
    now = 5.0
    with closing(Ledger.open(tmp_path / "ledger.db", clock=lambda: now)) as ledger:
        ledger.begin(stubs.header())
        assert ledger.last_closed_ms() == 0
        for now in (7.0, 9.0):
            opened = ledger.open_attempt(Attempt("trial", int(now), 0, 0, "mlp", {}, seed=7))
            ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=0.1))
        assert ledger.last_closed_ms() == 9000
