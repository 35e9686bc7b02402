"""The steps after the trials: confirm on fresh seeds, refit beside the baselines, export and read the sealed test once.

Each is carried out by the coordinator as a list of work, so a search that was killed goes on within it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.coordinator.events import Planned
from automl.coordinator.plan import Plan
from automl.coordinator.stage import Stage
from automl.errors import AutoMLError
from automl.ledger import Attempt
from automl.messages import Kind, Outcome
from automl.winner.blend import Blend, steps_of
from automl.winner.confirm import SURE_SEEDS, Candidate, Scored, WinnerWork
from automl.winner.evidence import DEFAULT, SINGLE

_WHOLE = 0.8
"""Share of its epochs from which a refit that the time ended is taken: schedules have cooled down by then."""


def confirm_rivals(stage: Stage, work: WinnerWork, trials: list[Attempt]) -> list[Candidate]:
    """Train the best configurations and their families' defaults on the same fresh seeds, as far as time allows."""
    rivals, outcomes = work.rivals(trials), dict[tuple[Kind, int, int], Outcome]()
    while len(rivals) > 2 and stage.deadline.seeds_that_fit(rivals, SURE_SEEDS) < SURE_SEEDS:
        rivals.pop()  # the leader and its default, which come first, are what the verdict needs
    candidates = [work.candidate(trial, outcomes) for trial in rivals]
    for parts in work.rounds(rivals):
        parts = parts[: stage.deadline.seeds_that_fit(rivals, len(parts))]
        if not parts:
            break
        confirmations = work.confirmations(rivals, parts)
        stage.observer(Planned(len(confirmations)))
        plan = Plan(confirmations, work.describe, stage.deadline.confirmation_over)
        stage.coordinator.carry_out(plan, "confirm")
        outcomes |= plan.outcomes
        candidates = [work.candidate(trial, outcomes) for trial in rivals]
        if not work.is_open(candidates, trials):
            break
    return candidates


def refit_all(
    stage: Stage, work: WinnerWork, winner: Candidate, rival: Candidate | None, blend: Blend
) -> tuple[list[Scored], str | None, Blend]:
    """Refit winner, members and, where time is left, the `rival`, and fit the baselines, all at once.

    Returns what is exported and what is scored beside it, the file of the baselines' predictions where they could be fitted, and
    what is exported in the end: where a member cannot be refitted, the single winner. Where the time cut a refit short, the
    weights of its trial, which learned from fewer rows but to the end, take its place.
    """
    members = [share.trial for share in blend.members] if blend.taken else []
    refits = {winner.attempt.slot: work.refit(winner.attempt, winner.epochs)}
    if rival is not None and stage.deadline.can_refit([winner.attempt, *members, rival.attempt]):
        refits[rival.attempt.slot] = work.refit(rival.attempt, rival.epochs)
    for trial in members:
        refits.setdefault(trial.slot, work.refit(trial, steps_of(trial)))
    plan = Plan([*refits.values(), work.baselines()], work.describe)
    stage.coordinator.carry_out(plan, "refit", "baselines")
    _done(stage, plan, refits[winner.attempt.slot])
    files = {slot: _file(plan, attempt, "weights") for slot, attempt in refits.items()}
    weights = {slot: path for slot, path in files.items() if path is not None}
    if lost := [trial.slot for trial in members if trial.slot not in weights]:
        blend = replace(blend, taken=False, why=f"{blend.why} But the refit of slot {lost[0]} failed.")
    scored = _scored(winner, rival, blend, weights)
    for place, one in enumerate(scored):
        if (path := _cut_short(stage, plan, refits[one.trial.slot], one.trial)) is not None:
            scored[place] = replace(one, weights=path, is_of_trial=True)
    return scored, _file(plan, work.baselines(), "predictions"), blend


def export_and_score(
    stage: Stage, work: WinnerWork, winner: Candidate, scored: list[Scored], baselines: str | None, blend: Blend
) -> tuple[Path, Outcome, dict[str, Any] | None]:
    """Return the staged bundle, the one reading of the test part, and the champion that the model was to stand up to."""
    if not stage.champion.is_answered():  # then the workers have something to do meanwhile
        export, _ = work.finishing(winner, scored, blend.exported_temperature, thresholds=blend.thresholds)
        stage.coordinator.carry_out(Plan([export], work.describe), "export")
    champion = stage.champion.answer()
    export, score = work.finishing(winner, scored, blend.exported_temperature, champion, blend.thresholds, baselines)
    final = Plan([export, score], work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    staged, scores = next(iter(_done(stage, final, export).artifacts.values())).path, _done(stage, final, score)
    # What was scored may have been assigned by an earlier run of this command, when another version was the champion.
    assigned = next(one for one in stage.ledger.attempts(kind="score", final=True) if one.work == score.work).suggestion
    return (stage.folder.root / staged).parent, scores, assigned.get("champion")


def _scored(winner: Candidate, rival: Candidate | None, blend: Blend, weights: dict[int, str]) -> list[Scored]:
    """Say what is exported, and what is scored beside it."""
    single = Scored(winner.attempt, weights[winner.attempt.slot])
    scored = [single]
    if blend.taken:
        scored = [Scored(one.trial, weights[one.trial.slot], weight=one.weight) for one in blend.members]
        scored.append(replace(single, role=SINGLE))
    if rival is not None and rival.attempt.slot in weights:
        scored.append(Scored(rival.attempt, weights[rival.attempt.slot], DEFAULT))
    return scored


def _cut_short(stage: Stage, plan: Plan, refit: Attempt, trial: Attempt) -> str | None:
    """The weights of the trial, where the time ended its refit long before the epochs were over and they are still there."""
    outcome, kept = plan.outcomes.get(refit.work), trial.outcome and trial.outcome.artifacts.get("weights")
    if outcome is None or not kept or outcome.steps >= _WHOLE * refit.suggestion["epochs"]:
        return None
    return kept.path if (stage.folder.root / kept.path).exists() else None


def _file(plan: Plan, attempt: Attempt, name: str) -> str | None:
    outcome = plan.outcomes.get(attempt.work)
    return outcome.artifacts[name].path if outcome is not None and outcome.state == "complete" else None


def _done(stage: Stage, plan: Plan, attempt: Attempt) -> Outcome:
    outcome = plan.outcomes.get(attempt.work)
    if outcome is None or outcome.state != "complete":
        why = outcome.reason if outcome is not None else "it was never carried out"
        raise AutoMLError(f"the winner's {attempt.kind} failed: {why}.", hint=_what_next(stage, attempt, why))
    return outcome


def _what_next(stage: Stage, attempt: Attempt, why: str) -> str:
    """To run the command again is no advice where an earlier run ended in the same way."""
    tries = [one for one in stage.ledger.attempts(kind=attempt.kind, final=False) if one.work == attempt.work]
    if sum(one.state == "failed" and one.reason == why for one in tries) > 1:
        return f"It failed so before. {stage.folder.where_workers_spoke}".strip()
    return "Run the same command again to go on from here."
