"""The ledger: one transaction per fact, and a database that itself refuses a second final attempt."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import sqlalchemy
import stubs

from automl.errors import SearchHeld, Stopped, StorageError
from automl.ledger import Attempt, Ledger, SearchLock
from automl.messages import Outcome


def attempt(slot: int = 0, number: int = 0) -> Attempt:
    return Attempt("trial", slot, 0, number, "mlp", {"lr": 0.1}, seed=7, suggestion={"params": {"lr": 0.1}})


def complete(of: Attempt, value: float = 0.5) -> Outcome:
    return Outcome(of.key, 0, "complete", value=value, curve=((1, {"objective": value}),))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return stubs.new_search(tmp_path)[0]


def test_what_was_stored_is_read_back_equal(ledger: Ledger, tmp_path: Path) -> None:
    opened = ledger.open_attempt(attempt())
    closed = ledger.close_attempt(opened, complete(opened), marks={"completed_rung_0": 0.5})
    ledger.close()
    assert Ledger.open(tmp_path / "search" / "ledger.db").attempts() == [closed]


def test_a_final_slot_is_announced_to_every_view_once(ledger: Ledger) -> None:
    opened = ledger.open_attempt(attempt())
    closed = ledger.close_attempt(opened, complete(opened))
    for view in ("mlflow", "optuna"):
        assert [(topic, row) for _, topic, row in ledger.unsent(view)] == [("search", None), ("slot", closed)]


def test_an_attempt_that_is_not_final_is_announced_to_nobody(ledger: Ledger) -> None:
    opened = ledger.open_attempt(attempt())
    ledger.close_attempt(opened, Outcome(opened.key, 0, "lost", reason="killed"))
    assert ledger.count_unsent("mlflow", "slot") == 0


def test_what_was_sent_is_not_sent_again(ledger: Ledger) -> None:
    ledger.mark_sent([message for message, *_ in ledger.unsent("mlflow")])
    assert ledger.unsent("mlflow") == []
    assert ledger.count_unsent("optuna") == 1


def test_a_result_stands_until_there_is_another_and_then_takes_back_what_it_announced(ledger: Ledger) -> None:
    ledger.finish({"bundle": "exports/bowl/v-0"})
    ledger.reconfigure({"budget": {"trials": 9}})
    stored = ledger.header()
    assert stored is not None
    assert (stored.config, stored.result) == ({"budget": {"trials": 9}}, {"bundle": "exports/bowl/v-0"})
    assert [topic for _, topic, _ in ledger.unsent("mlflow")] == ["search", "end", "export"]
    ledger.finish({"bundle": "exports/bowl/v-1"})
    assert [topic for _, topic, _ in ledger.unsent("mlflow")] == ["search", "end", "export"]


def test_an_attempt_is_closed_once(ledger: Ledger) -> None:
    opened = ledger.open_attempt(attempt())
    ledger.close_attempt(opened, complete(opened))
    with pytest.raises(StorageError, match="is not open any more"):
        ledger.close_attempt(opened, complete(opened, 0.9))
    assert ledger.attempts()[0].value == 0.5


def test_the_database_refuses_a_second_final_attempt_at_a_slot(ledger: Ledger) -> None:
    first = ledger.open_attempt(attempt(number=0))
    ledger.close_attempt(first, complete(first))
    second = ledger.open_attempt(attempt(number=1))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        ledger.close_attempt(second, complete(second))
    assert len(ledger.attempts(final=True)) == 1


def test_the_database_refuses_two_open_attempts_at_a_slot(ledger: Ledger) -> None:
    ledger.open_attempt(attempt(number=0))
    with pytest.raises(sqlalchemy.exc.IntegrityError):
        ledger.open_attempt(attempt(number=1))


def test_a_value_that_is_not_finite_cannot_be_stored(ledger: Ledger) -> None:
    opened = ledger.open_attempt(attempt())
    with pytest.raises(StorageError, match="not JSON compliant"):
        ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", values={"loss": float("nan")}))
    assert [row.state for row in ledger.attempts()] == ["open"]


def test_a_signal_that_falls_into_a_statement_stays_a_stop(ledger: Ledger) -> None:
    class Interrupting(dict):  # type: ignore[type-arg]
        def items(self):  # type: ignore[no-untyped-def]
            raise Stopped("stopped at once.", exit_code=143)

    interrupted = dataclasses.replace(attempt(), suggestion=Interrupting(a=1))
    with pytest.raises(Stopped, match="stopped at once") as caught:
        ledger.open_attempt(interrupted)
    assert caught.value.exit_code == 143
    assert ledger.attempts() == []


def test_a_newer_format_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "search" / "ledger.db") as database:
        database.execute("UPDATE search SET format = 99")
    with pytest.raises(StorageError, match="format 99"):
        ledger.header()


@pytest.mark.parametrize(
    "outcome", ["{}", "[]", '{"curve": 1, "artifacts": {}}', '{"curve": [], "artifacts": {}, "later": 1}']
)
def test_an_outcome_of_another_form_is_a_damage_that_is_said(ledger: Ledger, tmp_path: Path, outcome: str) -> None:
    import sqlite3

    opened = ledger.open_attempt(attempt())
    ledger.close_attempt(opened, complete(opened))
    with sqlite3.connect(tmp_path / "search" / "ledger.db") as database:
        database.execute("UPDATE attempt SET outcome = ?", (outcome,))
    with pytest.raises(StorageError, match=r"ledger.db is damaged \(the outcome of attempt 1 does not read: "):
        ledger.attempts()


@pytest.mark.parametrize("text", ["null", "[]", '"x"', "3"])
def test_a_header_of_another_form_is_a_damage_that_is_said(ledger: Ledger, tmp_path: Path, text: str) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "search" / "ledger.db") as database:
        database.execute("UPDATE search SET config = ?", (text,))
    with pytest.raises(StorageError, match=r"ledger.db is damaged \(its 'config' is no object\)"):
        ledger.header()


def test_a_second_holder_is_told_who_holds_the_search(tmp_path: Path) -> None:
    import os

    with SearchLock(tmp_path), pytest.raises(SearchHeld, match=f"held by pid {os.getpid()} on host"):
        SearchLock(tmp_path).acquire()


def test_a_lock_whose_holder_is_gone_is_free(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text('{"pid": 1, "host": "elsewhere", "since": "yesterday"}')
    with SearchLock(tmp_path):
        pass
