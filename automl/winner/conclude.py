"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, export, judge.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from automl.bundle import Facts, read_manifest
from automl.coordinator.events import Planned
from automl.coordinator.plan import Plan
from automl.coordinator.stage import Stage
from automl.errors import AutoMLError
from automl.export import CleanProcess, publish
from automl.ledger import Attempt
from automl.messages import Kind, Outcome
from automl.winner.blend import Blend, choose_blend, steps_of
from automl.winner.calibration import Calibration, calibrate
from automl.winner.confirm import SURE_SEEDS, Candidate, Scored, WinnerWork, default_of
from automl.winner.evidence import DEFAULT, SINGLE, Evidence, weigh
from automl.winner.gate import Challenge, challenge
from automl.winner.sealed import Scores, read_importance, read_scores
from automl.winner.verdict import Fresh, Verdict, decide


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a search came to."""

    winner: Candidate
    default: Candidate | None
    """The default of the winner's family; None where it did not complete."""
    rivals: tuple[Candidate, ...]
    """All that were confirmed on the same fresh seeds."""
    evidence: Evidence
    """The steering metric of exactly the exported weights on the test part, against others on the same rows."""
    verdict: Verdict
    bundle: Path
    challenge: Challenge | None
    """Against the registered champion; None with tracking off, or where MLflow did not answer."""
    blend: Blend
    """Whether an ensemble took the winner's place, and why."""
    calibration: Calibration | None
    """On the test rows; None for numbers."""
    importance: dict[str, list[float]]
    """Of a table's columns: the loss of the metric when one is shuffled, and its standard error; the most important first."""

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        trial, default, test = self.winner.attempt, self.default, self.evidence.test
        return {
            "best": {
                "family": "ensemble" if self.blend.taken else trial.family,
                "slot": trial.slot,
                "params": self.blend.weights if self.blend.taken else trial.params,
                "trial_value": trial.value,
                "validation": self.winner.mean,
                "epochs": self.winner.epochs,
                "test": test.value,
                "test_interval": [test.low, test.high],
                "threshold": self.blend.exported_threshold,
            },
            "default": None
            if default is None
            else {"slot": default.attempt.slot, "family": default.attempt.family, "validation": default.mean},
            "confirmed": [
                {"slot": one.attempt.slot, "family": one.attempt.family, "values": list(one.values)}
                for one in self.rivals
            ],
            "baselines": self.evidence.baselines,
            "test_gains": {name: [gain.value, gain.low, gain.high] for name, gain in self.evidence.gains.items()},
            "verdict": self.verdict.words,
            "reasons": list(self.verdict.reasons),
            "ensemble": self.blend.document(),
            "calibration": None if self.calibration is None else asdict(self.calibration),
            "importance": self.importance,
            "bundle": str(self.bundle),
            "bundle_digest": read_manifest(self.bundle).digest,
            "registered": None,
            "challenge": None if self.challenge is None else self.challenge.document(),
        }


def conclude(stage: Stage, trials: list[Attempt]) -> Conclusion:
    """Return the winner with its verdict, exported. Raises AutoMLError where a step failed; the same command goes on there."""
    config, direction = stage.config, stage.header.task["direction"]
    work = WinnerWork(
        stage.spec,
        stage.data,
        stage.header.task["metric"],
        direction,
        config.seed,
        config.confirm_seeds,
        config.precision,
        stage.deadline,
    )
    with CleanProcess(config.families_from) as clean:
        stage.phases.begin("confirm")
        stage.champion.ask()
        rivals = _confirm(stage, work, trials)
        winner = work.choose(rivals)
        first = default_of(winner.attempt.family, trials)
        default = next((one for one in rivals if one.attempt is first), None)
        stage.phases.begin("export")
        staging, score, champion, blend = _finish(
            stage, work, winner, default, choose_blend(stage, trials, winner, default)
        )
        scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
        evidence = weigh(work.metric, direction, scores, seed=config.seed)
        others = [one.values for one in rivals if one is not winner and one is not default]
        fresh = Fresh(winner.values, default.values, others) if default not in (None, winner) else None
        verdict = decide(fresh, evidence, direction, is_default=winner.attempt is first and not blend.taken)
        gate = None
        if champion is not None:
            trouble = score.reason or champion["trouble"]
            gate = challenge(work.metric, direction, scores, champion, trouble, seed=config.seed)
        calibration = _calibration(stage, scores, blend)
        facts = _facts(stage, winner, blend, evidence)
        importance = _importance(stage, score)
        target = Path("exports") / stage.task.name
        bundle = publish(staging, target, facts, importance=importance, verify=clean.verify)
    return Conclusion(winner, default, tuple(rivals), evidence, verdict, bundle, gate, blend, calibration, importance)


def _confirm(stage: Stage, work: WinnerWork, trials: list[Attempt]) -> list[Candidate]:
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


def _finish(
    stage: Stage, work: WinnerWork, winner: Candidate, default: Candidate | None, blend: Blend
) -> tuple[Path, Outcome, dict[str, Any] | None, Blend]:
    """Refit winner, members and, where time is left, its default, and fit baselines, all at once; then export and score side by side.

    Returns the staged bundle, the one reading of the test part, the champion that it was to stand up to, and what was exported in
    the end: where a member cannot be refitted, the single winner.
    """
    rival = default if default is not winner else None
    members = [share.trial for share in blend.members] if blend.taken else []
    refits = {winner.attempt.slot: work.refit(winner)}
    if rival is not None and stage.deadline.can_refit([winner.attempt, *members, rival.attempt]):
        refits[rival.attempt.slot] = work.refit(rival)
    for trial in members:
        refits.setdefault(trial.slot, work.refit_member(trial, steps_of(trial)))
    refit = Plan([*refits.values(), work.baselines()], work.describe)
    stage.coordinator.carry_out(refit, "refit", "baselines")
    _done(refit, refits[winner.attempt.slot])
    files = {slot: _file(refit, attempt, "weights") for slot, attempt in refits.items()}
    weights = {slot: path for slot, path in files.items() if path is not None}
    baselines = _file(refit, work.baselines(), "predictions")
    if blend.taken and (lost := [share.trial.slot for share in blend.members if share.trial.slot not in weights]):
        blend = replace(blend, taken=False, why=f"{blend.why} But the refit of slot {lost[0]} failed.")
    scored = _scored(winner, rival, blend, weights)
    if not stage.champion.is_answered():  # then the workers have something to do meanwhile
        export, _ = work.finishing(winner, scored, blend.exported_temperature, thresholds=blend.thresholds)
        stage.coordinator.carry_out(Plan([export], work.describe), "export")
    champion = stage.champion.answer()
    export, score = work.finishing(winner, scored, blend.exported_temperature, champion, blend.thresholds, baselines)
    final = Plan([export, score], work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    staged = next(iter(_done(final, export).artifacts.values())).path
    # What was scored may have been assigned by an earlier run of this command, when another version was the champion.
    assigned = next(one for one in stage.ledger.attempts(kind="score", final=True) if one.work == score.work).suggestion
    return (stage.folder.root / staged).parent, _done(final, score), assigned.get("champion"), blend


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


def _file(plan: Plan, attempt: Attempt, name: str) -> str | None:
    outcome = plan.outcomes.get(attempt.work)
    return outcome.artifacts[name].path if outcome is not None and outcome.state == "complete" else None


def _calibration(stage: Stage, scores: Scores, blend: Blend) -> Calibration | None:
    if stage.header.task["kind"] != "classification":
        return None
    return calibrate(scores.target, scores.predictions["model"], blend.exported_temperature)


def _importance(stage: Stage, score: Outcome) -> dict[str, list[float]]:
    explained = score.artifacts.get("explained")  # an older version explained nothing
    return {} if explained is None else read_importance(stage.folder.root / explained.path)


def _facts(stage: Stage, winner: Candidate, blend: Blend, evidence: Evidence) -> Facts:
    test = evidence.test
    values = {"validation": winner.mean, "test": test.value, "test_low": test.low, "test_high": test.high}
    return Facts(
        task=stage.task.name,
        family="ensemble" if blend.taken else winner.attempt.family,
        search=stage.header.name,
        slot=winner.attempt.slot,
        seed=stage.config.seed,
        metric=stage.header.task["metric"],
        direction=stage.header.task["direction"],
        values={**values, **evidence.baselines},
        data=stage.data.content,
    )


def _done(plan: Plan, attempt: Attempt) -> Outcome:
    outcome = plan.outcomes.get(attempt.work)
    if outcome is None or outcome.state != "complete":
        why = outcome.reason if outcome is not None else "it was never carried out"
        raise AutoMLError(
            f"the winner's {attempt.kind} failed: {why}.", hint="Run the same command again to go on from here."
        )
    return outcome
