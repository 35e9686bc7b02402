"""The postman: what is unsent goes out, what was acknowledged is recorded, and a dead carrier is replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import stubs

from automl.ledger import Attempt, Ledger, SearchFolder
from automl.messages import Outcome
from automl.tracking.link import Ack
from automl.tracking.postman import Postman
from automl.tracking.question import ChampionQuestion


class FakeLink:
    """Acknowledges at once, unless it is told to be away."""

    def __init__(self) -> None:
        self.offered: list[dict[str, Any]] = []
        self.acks: list[Ack] = []
        self.away = False
        self.connection: object | None = object()
        self.starts = 0
        self.hurried = 0
        self.seconds = 0.0
        self.pace = 0.0

    def worked(self) -> float:
        self.seconds += self.pace
        return self.seconds

    def hurry(self) -> None:
        self.hurried += 1

    def start(self) -> None:
        self.starts += 1
        self.connection = object()

    def offer(self, records: list[dict[str, Any]]) -> None:
        self.offered += records
        answers = {record["topic"]: {"version": 3} for record in records if record["topic"] in ("champion", "export")}
        sent = tuple(record["id"] for record in records)
        self.acks.append(Ack((), "away") if self.away else Ack(sent, None, answers))

    def receive(self) -> list[Ack]:
        acks, self.acks = self.acks, []
        return acks


class Clock:
    now = 0.0

    def __call__(self) -> float:
        Clock.now += 1.0
        return Clock.now


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger, _ = stubs.new_search(tmp_path)
    for slot in range(5):
        opened = ledger.open_attempt(
            Attempt("trial", slot, 0, 0, "mlp", {"lr": 0.1}, 7, {"params": {}, "distributions": {}})
        )
        ledger.close_attempt(opened, Outcome(opened.key, 0, "complete", value=0.5))
    return ledger


def test_every_message_goes_out_once_and_is_recorded(ledger: Ledger) -> None:
    link = FakeLink()
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    for _ in range(3):
        postman.turn(urgent=False)
    assert [record["topic"] for record in link.offered] == ["search", *["slot"] * 5]
    assert postman.pending() == 0


def test_a_view_that_is_away_is_said_and_nothing_is_lost(ledger: Ledger) -> None:
    link, said = FakeLink(), list[str]()
    link.away = True
    postman = Postman(ledger, "mlflow", link, said.append, clock=Clock())
    for _ in range(3):
        postman.turn(urgent=False)
    assert said == ["away"]
    assert postman.drain() == 6


def test_what_came_with_a_notice_came_all_the_same(ledger: Ledger) -> None:
    """A record that the view will never take is acknowledged with why: sent again, it would be refused again."""
    link, said = FakeLink(), list[str]()
    link.offer = lambda records: link.acks.append(Ack(tuple(one["id"] for one in records), "mlp-3 was refused"))  # type: ignore[method-assign]
    postman = Postman(ledger, "mlflow", link, said.append, clock=Clock())
    assert postman.drain() == 0
    assert said == ["mlp-3 was refused"]


def test_a_question_is_answered_and_is_no_row_of_the_outbox(ledger: Ledger) -> None:
    link = FakeLink()
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    postman.ask("champion", into="somewhere")
    assert link.offered == [{"id": 0, "topic": "champion", "into": "somewhere"}]
    assert postman.answer("champion") == {"version": 3}
    assert postman.pending() == 6
    assert postman.drain() == 0


def test_a_store_that_was_not_there_has_no_champion_and_nobody_waits_for_it(ledger: Ledger, tmp_path: Path) -> None:
    before = Clock.now
    silent, folder = FakeLink(), SearchFolder(tmp_path)
    silent.receive = lambda: []  # type: ignore[method-assign]
    new, known = (Postman(ledger, "mlflow", silent, clock=Clock(), is_new=is_new) for is_new in (True, False))
    assert ChampionQuestion([new], folder).is_answered()
    assert ChampionQuestion([new], folder).answer() == {"version": None, "folder": None, "trouble": ""}
    assert Clock.now == before
    assert not ChampionQuestion([known], folder).is_answered()


def test_a_view_that_is_away_answers_nothing_at_once(ledger: Ledger) -> None:
    link = FakeLink()
    link.away = True
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    postman.ask("champion")
    before = Clock.now
    assert postman.answer("champion", patience=1000.0) is None
    assert Clock.now - before < 10


def test_what_a_finished_search_exported_goes_to_mlflow_alone_and_its_answer_is_kept(ledger: Ledger) -> None:
    result = {
        "bundle": "exports/bowl/v-0",
        "bundle_digest": "0" * 64,
        "report": "r.html",
        "verdict": "x",
        "seconds": 1.0,
    }
    ledger.finish(result)
    link = FakeLink()
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    assert postman.drain() == 0
    (record,) = (one for one in link.offered if one["topic"] == "export")
    assert (record["bundle"], record["moves"], record["champion_was"]) == ("exports/bowl/v-0", True, None)
    assert postman.answer("export") == {"version": 3}
    assert "export" not in [topic for _, topic, _ in ledger.unsent("optuna")]


def test_drain_brings_the_view_into_step(ledger: Ledger) -> None:
    assert Postman(ledger, "optuna", FakeLink(), clock=Clock()).drain() == 0


@pytest.mark.parametrize(("most", "least", "longest"), [(3.0, 3, 7), (None, 10, 14)])
def test_a_silent_view_is_waited_for_no_longer_than_is_allowed(
    ledger: Ledger, most: float | None, least: int, longest: int
) -> None:
    silent = FakeLink()
    silent.receive = lambda: []  # type: ignore[method-assign]
    postman, before = Postman(ledger, "mlflow", silent, clock=Clock()), Clock.now
    assert postman.drain(patience=10.0, most=most) > 0
    assert least <= Clock.now - before <= longest


def test_a_carrier_gives_way_until_somebody_waits_for_it(ledger: Ledger) -> None:
    link = FakeLink()
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    postman.turn(urgent=False)
    postman.answer("champion")
    assert link.hurried == 0
    postman.answer("champion", patience=3.0)
    postman.drain()
    assert link.hurried == 2


def test_a_dead_carrier_is_started_again_a_few_times(ledger: Ledger) -> None:
    link = FakeLink()
    postman = Postman(ledger, "mlflow", link, clock=Clock())
    for _ in range(6):
        link.connection = None
        postman.turn(urgent=False)
    assert link.starts == 3


def test_one_view_does_not_wait_for_another(ledger: Ledger) -> None:
    Postman(ledger, "optuna", FakeLink(), clock=Clock()).drain()
    assert ledger.count_unsent("optuna") == 0
    assert ledger.count_unsent("mlflow") == 6


@pytest.mark.parametrize(("pace", "waits"), [(0.0, (8, 14)), (0.02, (40, 70))])
def test_a_carrier_that_works_is_waited_for_longer_than_a_silent_one(
    ledger: Ledger, pace: float, waits: tuple[int, int]
) -> None:
    """On a busy machine the library's import alone takes longer than the patience; but nothing is waited for without end."""
    link = FakeLink()
    link.pace, link.receive = pace, list  # type: ignore[method-assign]
    clock = Clock()
    began = clock()
    assert Postman(ledger, "optuna", link, clock=clock).drain(patience=10.0) > 0
    low, high = waits
    assert low <= clock() - began <= high
