"""A plan's work is done once, whatever is killed whenever, and a failure after the trials is not the search's end."""

from __future__ import annotations

from pathlib import Path

import pytest
import stub_worker
import stubs

from automl.coordinator.loop import Coordinator
from automl.coordinator.plan import Plan
from automl.executors.inline import InlineExecutor
from automl.ledger import Attempt, Ledger, SearchFolder
from automl.messages import Outcome
from automl.winner.confirm import Scored, WinnerWork
from automl.worker.perform import Places

WORK = WinnerWork(stubs.SPEC, stubs.DATA, "loss", "minimize", seed=0, seeds=2)
TRIAL = Attempt("trial", 4, 0, 0, "bowl", {"x": 0.6}, seed=1)
REFIT = Attempt("refit", 4, 0, 0, "bowl", {"x": 0.6}, seed=1, suggestion={"epochs": 3})


def carry_out(ledger: Ledger, search: SearchFolder, *wanted: Attempt, misbehave: str = "") -> Plan:
    (search.root / "misbehave").write_text(misbehave)
    plan = Plan(wanted, WORK.describe)
    executor = InlineExecutor(Places(search.root, search.root), stub_worker.perform)
    Coordinator(ledger, executor, search.results).carry_out(plan, wanted[0].kind)
    return plan


def test_what_an_earlier_run_finished_is_not_done_again(tmp_path: Path) -> None:
    ledger, search = stubs.new_search(tmp_path)
    wanted = WORK.confirmations([TRIAL], range(2))
    first = carry_out(ledger, search, wanted[0])
    both = carry_out(ledger, search, *wanted)
    assert both.outcomes.keys() == {attempt.work for attempt in wanted}
    assert both.outcomes[wanted[0].work] == first.outcomes[wanted[0].work]
    assert (search.root / "executions.log").read_text().count("\n") == 2


def test_a_confirmation_uses_the_same_fresh_seeds_for_every_candidate() -> None:
    other = Attempt("trial", 7, 0, 0, "bowl", {"x": 0.1}, seed=2)
    seeds = [(a.slot, a.part, a.seed) for a in WORK.confirmations([TRIAL, other], range(2))]
    assert [s[:2] for s in seeds] == [(4, 0), (7, 0), (4, 1), (7, 1)]
    assert seeds[0][2] == seeds[1][2] != seeds[2][2] == seeds[3][2]


@pytest.mark.parametrize(("kind", "final"), [(REFIT, False), (WORK.confirmations([TRIAL], range(2))[0], True)])
def test_a_failed_refit_is_tried_anew_on_resume_and_a_failed_confirmation_is_not(
    tmp_path: Path, kind: Attempt, final: bool
) -> None:
    ledger, search = stubs.new_search(tmp_path)
    assert carry_out(ledger, search, kind, misbehave="4:fail").outcomes[kind.work].state == "failed"
    again = carry_out(ledger, search, kind)
    assert again.outcomes[kind.work].state == ("failed" if final else "complete")


def test_deaths_of_an_earlier_command_are_not_held_against_this_one(tmp_path: Path) -> None:
    ledger, search = stubs.new_search(tmp_path)
    assert carry_out(ledger, search, REFIT, misbehave="4*:exit").outcomes[REFIT.work].state == "lost"
    (search.root / "executions.log").unlink()
    carry_out(ledger, search, REFIT, misbehave="4*:exit")
    assert (search.root / "executions.log").read_text().count("\n") == 3
    assert carry_out(ledger, search, REFIT).outcomes[REFIT.work].state == "complete"


def test_only_a_score_is_granted_the_test_part() -> None:
    winner = WORK.candidate(TRIAL_WITH_OUTCOME, {})
    kinds = [
        WORK.describe(a)
        for a in (
            *WORK.confirmations([TRIAL], range(2)),
            WORK.refit(winner.attempt, winner.epochs),
            *WORK.finishing(winner, [Scored(TRIAL, "w")]),
        )
    ]
    assert {a.kind for a in kinds if "test" in a.data.parts} == {"score"}


TRIAL_WITH_OUTCOME = Attempt(
    "trial", 4, 0, 0, "bowl", {"x": 0.6}, 1, state="complete", final=True, value=0.2,
    outcome=Outcome("trial-4-0-0", 0, "complete", value=0.2, best_step=3),
)  # fmt: skip
