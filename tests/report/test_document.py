"""The document of a search counts each slot once, and names the rows of a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from samples import SLOTS, attempt, header

from automl.ledger import Attempt
from automl.report.document import count_slots, validated


def test_slots_that_the_time_cut_off_are_interrupted_and_those_that_run_are_not() -> None:
    def begun(slot: int, state: str) -> Attempt:
        return replace(attempt(slot, None, state), final=False)

    cut = [
        begun(0, "interrupted"),
        begun(4, "lost"),
        begun(4, "interrupted"),
        begun(5, "interrupted"),
        begun(6, "open"),
    ]
    by_time = header(config={**header().config, "budget": {"trials": None, "seconds": 60}})
    counts = {"planned": 7, "complete": 2, "pruned": 1, "failed": 1, "interrupted": 2, "retried": 1}
    assert count_slots(by_time, [*SLOTS, *cut]) == counts
    assert count_slots(header(), list(SLOTS))["interrupted"] == 0


def test_no_fewer_slots_are_planned_than_were_begun() -> None:
    asked_less = header(config={**header().config, "budget": {"trials": 1, "seconds": None}})
    assert count_slots(asked_less, list(SLOTS))["planned"] == len(SLOTS)


@pytest.mark.parametrize(
    ("validation", "ensemble", "where"),
    [
        (0.95, {"taken": True, "validation": 0.95}, "on rows that did not choose it"),
        (0.91, {"taken": True, "validation": 0.95}, "on fresh seeds"),  # by an older version
        (0.91, {"taken": False, "validation": None}, "on fresh seeds"),
    ],
)
def test_the_rows_of_a_validation_value_are_named(validation: float, ensemble: dict[str, Any], where: str) -> None:
    document = {"best": {"slot": 5, "validation": validation}, "confirmed": [{"slot": 5, "values": [0.91]}]}
    assert validated({**document, "ensemble": ensemble}) == where
