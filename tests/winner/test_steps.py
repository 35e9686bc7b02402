"""The steps after the trials: rivals as time allows, all refits at once, each outcome found by its own work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import stubs

from automl.coordinator.plan import Plan
from automl.errors import AutoMLError
from automl.ledger import Attempt
from automl.messages import Artifact, Outcome
from automl.winner.blend import Blend, Share
from automl.winner.confirm import Candidate, WinnerWork
from automl.winner.steps import confirm_rivals, export_and_score, refit_all

WORK = WinnerWork(stubs.SPEC, stubs.DATA, "accuracy", "maximize", seed=0, seeds=2)


def trial(slot: int) -> Attempt:
    outcome = Outcome(f"trial-{slot}-0-0", 0, "complete", value=0.9, best_step=slot + 1, steps=9)
    return Attempt("trial", slot, 0, 0, "mlp", {"x": slot}, slot, state="complete", value=0.9, outcome=outcome)


DEFAULT, WINNER, OTHER = (Candidate(trial(slot), (0.9, 0.9), 4) for slot in (0, 5, 7))
BLEND = Blend((Share(WINNER.attempt, 0.5), Share(OTHER.attempt, 0.5)), True, "It gains.", 1.0, 2.0)


class FakeStage:
    """Carries out whatever it is handed, but the refits that should fail; remembers it."""

    def __init__(
        self,
        *,
        failing: tuple[str, int] | None = None,
        answered: bool = True,
        earlier: tuple[Attempt, ...] = (),
        late: bool = False,
        steps: int = 99,
    ) -> None:
        self.failing = failing
        self.steps = steps
        self.earlier = list(earlier)
        self.done: list[list[Attempt]] = []
        self.coordinator = self
        self.deadline = SimpleNamespace(can_refit=lambda trials: not late)
        self.ledger = self
        self.champion = SimpleNamespace(is_answered=lambda: answered, answer=lambda: {"version": 2, "folder": "c"})
        self.folder = SimpleNamespace(root=Path("root"), where_workers_spoke="What workers said is in root/logs.")

    def carry_out(self, plan: Plan, *kinds: str) -> None:
        self.done.append([])
        again = plan.recall([one for one in self.earlier if one.kind in kinds])
        while (attempt := plan.again(again.pop()) if again else plan.next()) is not None:
            state = "failed" if (attempt.kind, attempt.slot) == self.failing else "complete"
            name = "predictions" if attempt.kind == "baselines" else "weights"
            artifacts = {name: Artifact(f"a/{attempt.key}", "0" * 64, 1)}
            outcome = Outcome(attempt.key, 0, state, value=0.9, best_step=4, steps=self.steps, artifacts=artifacts)
            plan.on_closed(attempt, outcome)
            self.earlier.append(replace(attempt, state=state, final=state == "complete", outcome=outcome))
            self.done[-1].append(attempt)

    def attempts(self, *, kind: str, final: bool) -> list[Attempt]:
        return [one for one in self.earlier if one.kind == kind and one.final == final]


def finish(stage: FakeStage, blend: Blend = BLEND, winner: Candidate = WINNER) -> Any:
    scored, baselines, blend = refit_all(stage, WORK, winner, DEFAULT, blend)  # type: ignore[arg-type]
    return *export_and_score(stage, WORK, winner, scored, baselines, blend), blend  # type: ignore[arg-type]


def test_all_refits_are_handed_out_at_once_and_members_keep_their_own_epochs() -> None:
    stage = FakeStage()
    finish(stage)
    (*refits, baselines), last = stage.done
    assert baselines.kind == "baselines"
    assert WORK.describe(baselines).data.parts == ("train", "validation", "test inputs")
    assert [(one.work, one.suggestion["epochs"]) for one in refits] == [
        (("refit", 5, 4), 4), (("refit", 0, 4), 4), (("refit", 7, 8), 8),
    ]  # fmt: skip
    assert [one.kind for one in last] == ["export", "score"]
    export, score = map(WORK.describe, last)
    assert [(one.slot, one.weight, one.resume_from) for one in export.members] == [
        (5, 0.5, "a/refit-5-4-0"), (7, 0.5, "a/refit-7-8-0"),
    ]  # fmt: skip
    assert [one.role for one in score.members] == ["model", "model", "single", "default"]
    assert (export.temperature, score.temperature, score.champion) == (2.0, 2.0, "c")
    assert (export.baselines, score.baselines) == (None, "a/baselines-0-0-0")


def test_where_time_is_short_the_default_is_not_refitted() -> None:
    stage = FakeStage(late=True)
    finish(stage)
    assert [(one.kind, one.slot) for one in stage.done[0]] == [("refit", 5), ("refit", 7), ("baselines", 0)]
    assert [one.role for one in WORK.describe(stage.done[-1][-1]).members] == ["model", "model", "single"]


@pytest.mark.parametrize(("steps", "is_of_trial"), [(3, True), (4, False)])
def test_where_time_cuts_a_refit_short_the_trials_own_weights_are_exported(
    tmp_path: Path, steps: int, is_of_trial: bool
) -> None:
    stage, kept = FakeStage(steps=steps), Artifact("trial-5.safetensors", "0" * 64, 1)
    stage.folder.root = tmp_path
    assert WINNER.attempt.outcome is not None
    outcome = replace(WINNER.attempt.outcome, artifacts={"weights": kept})
    winner = replace(WINNER, attempt=replace(WINNER.attempt, outcome=outcome))
    single = replace(BLEND, taken=False)
    scored, *_ = refit_all(stage, WORK, winner, DEFAULT, single)  # type: ignore[arg-type]
    assert not scored[0].is_of_trial  # they were not kept
    (tmp_path / kept.path).touch()
    scored, *_ = refit_all(stage, WORK, winner, DEFAULT, single)  # type: ignore[arg-type]
    assert [one.is_of_trial for one in scored] == [is_of_trial, False]
    assert (scored[0].weights == kept.path) == is_of_trial


def test_a_member_that_cannot_be_refitted_leaves_the_single_winner() -> None:
    stage = FakeStage(failing=("refit", 7))
    *_, blend = finish(stage)
    assert (blend.taken, blend.why) == (False, "It gains. But the refit of slot 7 failed.")
    assert [one.slot for one in WORK.describe(stage.done[-1][0]).members] == [5]


@pytest.mark.parametrize("kind", ["export", "score"])
def test_last_work_that_fails_is_named_and_may_be_tried_again(kind: str) -> None:
    stage = FakeStage(failing=(kind, WINNER.attempt.slot))
    with pytest.raises(AutoMLError, match=f"the winner's {kind} failed") as caught:
        finish(stage)
    assert caught.value.hint == "Run the same command again to go on from here."


def test_to_try_again_is_no_advice_for_what_failed_so_before() -> None:
    stage = FakeStage(failing=("refit", WINNER.attempt.slot))
    hints = []
    for _ in range(2):
        with pytest.raises(AutoMLError, match="the winner's refit failed") as caught:
            finish(stage)
        hints.append(caught.value.hint)
    assert hints == [
        "Run the same command again to go on from here.",
        "It failed so before. What workers said is in root/logs.",
    ]


def test_baselines_that_cannot_be_fitted_cost_no_search() -> None:
    stage = FakeStage(failing=("baselines", 0))
    finish(stage)
    assert WORK.describe(stage.done[-1][-1]).baselines is None


def test_the_champion_is_that_of_this_score_and_not_of_the_last_one() -> None:
    first, second = FakeStage(), FakeStage()
    finish(first)
    scored = first.earlier[-1]
    later = replace(scored, slot=9, suggestion={**scored.suggestion, "champion": {"version": 8}})
    second.earlier = [*first.earlier, later]
    second.champion.answer = lambda: {"version": 3, "folder": "d"}
    _, score, champion, _ = finish(second)
    assert champion["version"] == 2
    assert score == scored.outcome
    assert second.done == [[], []]


def test_a_search_that_was_given_more_refits_and_exports_anew() -> None:
    first, again, longer = FakeStage(), FakeStage(), FakeStage()
    finish(first)
    again.earlier, longer.earlier = list(first.earlier), list(first.earlier)
    finish(again)
    assert again.done == [[], []]
    finish(longer, replace(BLEND, taken=False), replace(WINNER, epochs=6))
    assert [(one.kind, one.suggestion.get("epochs")) for one in longer.done[0]] == [("refit", 6)]
    assert [one.kind for one in longer.done[1]] == ["export", "score"]
    timed = [replace(WORK, deadline=SimpleNamespace(longest_fit=seconds)) for seconds in (9.0, 18.0)]  # type: ignore[arg-type]
    assert len({work.refit(WINNER.attempt, 4).work for work in (WORK, *timed)}) == 3


def test_export_does_not_wait_for_the_champion() -> None:
    stage = FakeStage(answered=False)
    finish(stage)
    assert [[one.kind for one in ones] for ones in stage.done[1:]] == [["export"], ["score"]]


class Timed(FakeStage):
    """With time for so many trainings in one round."""

    def __init__(self, trainings: int) -> None:
        super().__init__()
        self.deadline = SimpleNamespace(
            seeds_that_fit=lambda trials, wanted: min(wanted, trainings // len(trials)),
            confirmation_over=lambda: False,
        )
        self.observer = lambda event: None


@pytest.mark.parametrize(
    ("trainings", "slots", "seeds"),
    [
        (99, [5, 0, 7, 6, 10, 11], 2),
        (7, [5, 0, 7], 2),  # a rival gives way before a seed does
        (5, [5, 0], 1),  # these go on only while the leader leads
        (1, [5, 0], 0),
    ],
)
def test_rivals_give_way_until_two_fresh_seeds_fit(trainings: int, slots: list[int], seeds: int) -> None:
    values = {0: 0.5, 5: 0.9, 6: 0.7, 7: 0.8, **dict.fromkeys(range(10, 80), 0.1)}
    trials = [replace(trial(slot), value=value) for slot, value in values.items()]
    candidates = confirm_rivals(Timed(trainings), replace(WORK, seeds=3), trials)  # type: ignore[arg-type]
    assert [one.attempt.slot for one in candidates] == slots
    assert {len(one.values) for one in candidates} == {seeds}
