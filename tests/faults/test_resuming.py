"""C10 to C15, C20 and C21 of the fault tables: a search that goes on under other circumstances."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path
from typing import Any

import faultlib
import pytest
import stubs
from faultlib import FAMILY, SPACE, finals, ledger_rows
from toy import Toy

from automl.coordinator.events import Began
from automl.coordinator.loop import Coordinator
from automl.errors import ConfigError
from automl.executors.devices import Seat
from automl.executors.inline import InlineExecutor
from automl.executors.local import LocalExecutor
from automl.ledger import Ledger, SearchFolder
from automl.tracking.records import record
from automl.worker.perform import Places


class Unstartable(InlineExecutor):
    """Stands where no worker may be started: seconds of imports for nothing."""

    def start(self) -> None:
        raise AssertionError("started")


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("0.0, 1.0)", "0.0, 2.0)", "bowl.x: float 0..1 -> float 0..2"),
        ("0.0, 1.0)", "0.1, 1.0, log=True)", "bowl.x: float 0..1 -> float 0.1..1 log"),
        ('suggest_float("x", 0.0, 1.0)', 'suggest_int("x", 0, 1)', "bowl.x: float 0..1 -> int 0..1"),
        ('["a", "b"]', '["a", "b", "c"]', "bowl.kind: a|b -> a|b|c"),
        ('"x": trial.suggest_float("x", 0.0, 1.0), ', '"x": 0.5, ', "bowl.x: float 0..1 -> absent"),
    ],
)
def test_another_search_space_is_refused_with_the_difference(
    toy: Toy, before: str, after: str, difference: str
) -> None:
    """C10."""
    toy.run()
    assert before in SPACE
    with pytest.raises(ConfigError, match=re.escape(f"the search space changed: {difference}.")) as caught:
        toy.run(space=SPACE.replace(before, after))
    assert "--name" in caught.value.hint
    assert finals(toy.search) == [0, 1, 2]


def test_another_metric_or_direction_is_refused(toy: Toy) -> None:
    """C11."""
    toy.run()
    with pytest.raises(ConfigError, match="search 'toy-0' has metric log_loss, not accuracy"):
        toy.run(metric="accuracy")
    other = dataclasses.replace(faultlib.toy_task(), objectives=(("log_loss", "maximize"),))
    with pytest.raises(ConfigError, match="search 'toy-0' has direction minimize, not maximize"):
        toy.run(task=other)


@pytest.mark.parametrize("choice", [{"sampler": "random"}, {"seed": 1}, {"max_epochs": 4}, {"pruner": "median"}])
def test_another_deciding_setting_is_refused(toy: Toy, choice: dict[str, Any]) -> None:
    """C11: what makes it another search. A seed names another search by default, so it is given the name."""
    toy.run()
    flag = "--" + next(iter(choice)).replace("_", "-")
    with pytest.raises(ConfigError, match=f"search 'toy-0' has {flag}"):
        toy.run(name="toy-0", **choice)


def test_other_data_is_refused_with_both_hashes_and_row_counts(toy: Toy) -> None:
    """C12."""
    toy.run()
    with pytest.raises(
        ConfigError, match=r"data changed: sha256 [0-9a-f]{8}\.\. -> [0-9a-f]{8}\.\., rows 120 -> 121\."
    ):
        toy.run(task=faultlib.toy_task(rows=121))


def test_other_code_is_warned_of_and_refused_when_strict(toy: Toy) -> None:
    """C13."""
    toy.run()
    changed = FAMILY + "\n# changed\n"
    toy.run(module=changed)
    assert "the code of family 'bowl' changed since this search began: " in toy.said()
    with pytest.raises(ConfigError, match="--strict: the code of family 'bowl' changed"):
        toy.run(module=changed, strict=True)


def test_a_finished_search_says_so_and_does_nothing(toy: Toy) -> None:
    """C14."""
    toy.run()
    ledger = toy.ledger()
    ledger.finish({"slots": {"planned": 3}})
    ledger.close()
    before = (toy.search / "executions.log").read_text()
    toy.run(executor=Unstartable)
    assert "budget 3 already done in search 'toy-0'" in toy.said()
    assert (toy.search / "executions.log").read_text() == before


FOUND = {"slots": {"planned": 3, "complete": 3}, "budget": {"trials": 3, "seconds": None}, "seconds": 1e-3}


def finish(toy: Toy, document: dict[str, Any]) -> None:
    ledger = toy.ledger()
    ledger.finish(document)
    ledger.close()


def stored_result(toy: Toy) -> dict[str, Any] | None:
    ledger = toy.ledger()
    header = ledger.header()
    ledger.close()
    return header.result if header is not None else None


def test_fewer_slots_than_there_are_add_nothing_and_undo_nothing(toy: Toy) -> None:
    toy.run()
    toy.run(budget={"trials": 2})
    assert "search 'toy-0' has 3 slots, 2 asked: nothing to add" in toy.said()
    assert [event.slots for event in toy.events if isinstance(event, Began)] == [3]
    finish(toy, FOUND)
    toy.run(budget={"trials": 2}, executor=Unstartable)
    assert toy.said().count("nothing to add") == 1
    assert "already done" not in toy.said()


def test_a_run_that_adds_no_trial_to_a_finished_search_leaves_its_result(toy: Toy) -> None:
    space = 'INPUTS = ("table",)\nDEFAULT = {"x": 1, "kind": "a"}\n\n\ndef suggest(trial, spec):\n'
    space += '    return {"x": trial.suggest_int("x", 1, 3), "kind": "a"}\n'
    toy.run(space=space)
    finish(toy, FOUND)
    for budget in ({"trials": 9}, {"seconds": 0.01}):
        toy.run(space=space, budget=budget)
        assert "no trial was added: the result of search 'toy-0' stands" in toy.said()
        assert stored_result(toy) == {**FOUND, "mlflow": None, "registered": None}


def test_the_result_of_a_finished_search_outlives_a_run_that_does_not_end(toy: Toy) -> None:
    toy.run()
    finish(toy, FOUND)
    toy.run(budget={"trials": 5})  # it ends at its refit
    assert stored_result(toy) == FOUND
    toy.run(budget={"trials": 5})  # its trials are there, and what follows them is still missing
    assert "no trial was added" not in toy.said()
    toy.run(budget={"trials": 3}, executor=Unstartable)


def test_a_raised_budget_runs_exactly_the_difference(toy: Toy) -> None:
    """C15."""
    toy.run(budget={"trials": 3})
    toy.run(budget={"trials": 5})
    assert toy.resumptions() == [([0, 1, 2], 0)]
    executed = (toy.search / "executions.log").read_text().splitlines()
    assert [line.split()[0] for line in executed if line.startswith("trial-")] == [f"trial-{n}-0-0" for n in range(5)]
    assert finals(toy.search) == [0, 1, 2, 3, 4]


def test_zombies_are_closed_at_start_and_counted(toy: Toy) -> None:
    """C20: attempts that a dead coordinator left open, however old."""
    toy.run(budget={"trials": 2})
    ledger = toy.ledger()
    points = [a for a in ledger.attempts(kind="trial") if a.slot == 1]
    for slot in (2, 3):
        ledger.open_attempt(dataclasses.replace(points[0], id=0, slot=slot, state="open", final=False, outcome=None))
    ledger.close()
    toy.run(budget={"trials": 4})
    assert toy.resumptions() == [([0, 1], 2)]
    assert finals(toy.search) == [0, 1, 2, 3]
    rows = ledger_rows(toy.search, "SELECT reason FROM attempt WHERE state = 'interrupted'")
    assert rows == [("the coordinator ended",)] * 2


def test_no_jump_of_the_clock_makes_anything_stale(tmp_path: Path) -> None:
    """C21: the wall clock goes back an hour and forth a year between any two events; it only labels them."""
    jumps = itertools.cycle((1.8e9, 1.8e9 - 3600, 1.83e9))
    folder = SearchFolder(tmp_path / "search")
    folder.create()
    ledger = Ledger.open(folder.ledger, clock=lambda: next(jumps))
    ledger.begin(stubs.header())
    executor = LocalExecutor(
        (Seat("cpu", 1),),
        Places(tmp_path, folder.root),
        perform="stub_worker:perform",
        preload=("stub_worker",),
        stall_timeout=30.0,
    )
    executor.start()
    try:
        Coordinator(ledger, executor, folder.results).carry_out(stubs.decision(4), "trial")
    finally:
        executor.stop()
    stubs.assert_each_slot_final_once(ledger, 4)
    assert {attempt.attempt for attempt in ledger.attempts()} == {0}
    for message, topic, attempt in ledger.unsent("mlflow"):
        if attempt is not None:
            sent = record(stubs.header(), "mlflow", message, topic, attempt)
            assert sent["started_ms"] <= sent["curve"][0][2] <= sent["curve"][-1][2] <= sent["ended_ms"]
