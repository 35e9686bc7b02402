"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, export, judge.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from automl.bundle import Facts
from automl.errors import AutoMLError
from automl.export import publish, verify_in_clean_process
from automl.ledger import Attempt
from automl.messages import Outcome
from automl.search.plan import Plan
from automl.search.stage import Stage
from automl.winner.blend import Blend, choose_blend, steps_of
from automl.winner.calibration import Calibration, calibrate
from automl.winner.confirm import Candidate, Scored, WinnerWork, default_of
from automl.winner.evidence import DEFAULT, SINGLE, Evidence, weigh
from automl.winner.sealed import Scores, read_scores
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
    blend: Blend
    """Whether an ensemble took the winner's place, and why."""
    calibration: Calibration | None
    """On the test rows; None for numbers."""

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        trial, default, test = self.winner.attempt, self.default, self.evidence.test
        return {
            "best": {
                "family": "ensemble" if self.blend.taken else trial.family,
                "slot": trial.slot,
                "params": self._params(),
                "trial_value": trial.value,
                "validation": self.winner.mean,
                "epochs": self.winner.epochs,
                "test": test.value,
                "test_interval": [test.low, test.high],
            },
            "default": None if default is None else {"slot": default.attempt.slot, "validation": default.mean},
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
            "bundle": str(self.bundle),
            "registered": None,
        }

    def _params(self) -> dict[str, Any]:
        """The winner's parameters; of an ensemble the weight of each member."""
        if not self.blend.taken:
            return self.winner.attempt.params
        return {f"{one.trial.family}-{one.trial.slot}": one.weight for one in self.blend.members}


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
    )
    stage.phases.begin("confirm")
    rivals = _confirm(stage, work, trials)
    winner = work.choose(rivals)
    first = default_of(winner.attempt.family, trials)
    default = next((one for one in rivals if one.attempt is first), None)
    stage.phases.begin("export")
    staging, score, blend = _finish(stage, work, winner, default, choose_blend(stage, trials, winner))
    scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
    evidence = weigh(work.metric, direction, scores, seed=config.seed)
    test = evidence.test
    calibration = _calibration(stage, scores, blend)
    values = {"validation": winner.mean, "test": test.value, "test_low": test.low, "test_high": test.high}
    facts = _facts(stage, winner, blend, {**values, **evidence.baselines})
    verify = partial(verify_in_clean_process, families_from=config.families_from)
    bundle = publish(staging, Path("exports") / stage.task.name, facts, verify=verify)
    others = [one.values for one in rivals if one is not winner and one is not default]
    fresh = Fresh(winner.values, default.values, others) if default not in (None, winner) else None
    return Conclusion(
        winner, default, tuple(rivals), evidence, decide(fresh, evidence, direction), bundle, blend, calibration
    )


def _confirm(stage: Stage, work: WinnerWork, trials: list[Attempt]) -> list[Candidate]:
    """Train the best configurations and their families' defaults on the same fresh seeds."""
    rivals = work.rivals(trials)
    plan = Plan(work.confirmations(rivals), work.describe, stage.deadline.confirmation_over)
    stage.coordinator.carry_out(plan, "confirm")
    return [work.candidate(trial, plan.outcomes) for trial in rivals]


def _finish(
    stage: Stage, work: WinnerWork, winner: Candidate, default: Candidate | None, blend: Blend
) -> tuple[Path, Outcome, Blend]:
    """Refit winner, default and members, then export and score side by side; returns the staged bundle, the one test reading and
    what was exported in the end: where a member cannot be refitted, the single winner."""
    rival = default if default is not winner else None
    refits = {one.attempt.slot: work.refit(one) for one in (winner, rival) if one is not None}
    for share in blend.members if blend.taken else ():
        refits.setdefault(share.trial.slot, work.refit_member(share.trial, steps_of(share.trial)))
    refit = Plan(list(refits.values()), work.describe)
    stage.coordinator.carry_out(refit, "refit")
    weights = {slot: _weights(refit, attempt) for slot, attempt in refits.items()}
    single = Scored(winner.attempt, _done(refit, refits[winner.attempt.slot]).artifacts["weights"].path)
    if blend.taken and (lost := [m.trial.slot for m in blend.members if weights[m.trial.slot] is None]):
        blend = replace(blend, taken=False, why=f"{blend.why} But the refit of slot {lost[0]} failed.")
    scored = [single]
    if blend.taken:
        scored = [Scored(m.trial, weights[m.trial.slot] or "", weight=m.weight) for m in blend.members]
        scored.append(replace(single, role=SINGLE))
    if rival is not None and (path := weights[rival.attempt.slot]) is not None:
        scored.append(Scored(rival.attempt, path, DEFAULT))
    temperature = blend.ensemble_temperature if blend.taken else blend.temperature
    export, score = work.finishing(winner, scored, temperature)
    final = Plan([export, score], work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    staged = next(iter(_done(final, export).artifacts.values())).path
    return (stage.folder.root / staged).parent, _done(final, score), blend


def _weights(plan: Plan, attempt: Attempt) -> str | None:
    outcome = plan.outcomes.get(attempt.work)
    return outcome.artifacts["weights"].path if outcome is not None and outcome.state == "complete" else None


def _calibration(stage: Stage, scores: Scores, blend: Blend) -> Calibration | None:
    if stage.header.task["kind"] != "classification":
        return None
    temperature = blend.ensemble_temperature if blend.taken else blend.temperature
    return calibrate(scores.target, scores.predictions["model"], temperature)


def _facts(stage: Stage, winner: Candidate, blend: Blend, values: dict[str, float]) -> Facts:
    return Facts(
        task=stage.task.name,
        family="ensemble" if blend.taken else winner.attempt.family,
        search=stage.header.name,
        slot=winner.attempt.slot,
        seed=stage.config.seed,
        metric=stage.header.task["metric"],
        direction=stage.header.task["direction"],
        values=values,
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
