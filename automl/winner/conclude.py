"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, export, judge.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from automl.bundle import Facts, read_manifest
from automl.coordinator.stage import Stage
from automl.export import CleanProcess, publish
from automl.ledger import Attempt
from automl.messages import Outcome
from automl.winner.blend import Blend, choose_blend
from automl.winner.calibration import Calibration, calibrate
from automl.winner.confirm import Candidate, WinnerWork, default_of
from automl.winner.evidence import Evidence, weigh
from automl.winner.gate import Challenge, challenge
from automl.winner.sealed import Scores, read_importance, read_scores
from automl.winner.steps import confirm_rivals, export_and_score, refit_all
from automl.winner.verdict import Fresh, Verdict, decide

_CUT = (
    "Time cut the refit short, so what is exported learned from the training rows alone, as it was validated: more --time adds the "
    "validation rows."
)


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
    score: str
    """Key of the reading of the test part that all this is drawn from."""
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
                "validation": self.blend.exported_validation(self.winner),
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
            "score": self.score,
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
        seed=config.seed,
        seeds=config.confirm_seeds,
        precision=config.precision,
        deadline=stage.deadline,
    )
    with CleanProcess(config.families_from) as clean:
        stage.phases.begin("confirm")
        stage.champion.ask()
        rivals = confirm_rivals(stage, work, trials)
        winner = work.choose(rivals)
        first = default_of(winner.attempt.family, trials)
        default = next((one for one in rivals if one.attempt is first), None)
        stage.phases.begin("export")
        rival = default if default is not winner else None
        scored, baselines, blend = refit_all(stage, work, winner, rival, choose_blend(stage, trials, winner, default))
        staging, score, champion = export_and_score(stage, work, winner, scored, baselines, blend)
        scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
        evidence = weigh(work.metric, direction, scores, seed=config.seed)
        others = [one.values for one in rivals if one is not winner and one is not default]
        fresh = Fresh(winner.values, default.values, others) if default not in (None, winner) else None
        is_default = winner.attempt is first and not blend.taken
        validation = blend.exported_validation(winner)
        replaced = winner.attempt is first and blend.taken
        verdict = decide(fresh, evidence, direction, is_default=is_default, is_replaced=replaced, validation=validation)
        if any(one.is_of_trial for one in scored if one.role == "model"):
            verdict = replace(verdict, reasons=(*verdict.reasons, _CUT))
        gate = None
        if champion is not None:
            trouble = score.reason or champion["trouble"]
            gate = challenge(work.metric, direction, scores, champion, trouble, seed=config.seed)
        calibration = _calibration(stage, scores, blend)
        facts = _facts(stage, winner, blend, evidence)
        importance = _importance(stage, score)
        target = Path("exports") / stage.header.task["name"]
        bundle = publish(staging, target, facts, importance=importance, verify=clean.verify)
    return Conclusion(
        winner,
        default,
        tuple(rivals),
        evidence,
        verdict,
        score.assignment,
        bundle,
        gate,
        blend,
        calibration,
        importance,
    )


def _calibration(stage: Stage, scores: Scores, blend: Blend) -> Calibration | None:
    if stage.header.task["kind"] != "classification":
        return None
    return calibrate(scores.target, scores.predictions["model"], blend.exported_temperature)


def _importance(stage: Stage, score: Outcome) -> dict[str, list[float]]:
    explained = score.artifacts.get("explained")  # an older version explained nothing
    return {} if explained is None else read_importance(stage.folder.root / explained.path)


def _facts(stage: Stage, winner: Candidate, blend: Blend, evidence: Evidence) -> Facts:
    test = evidence.test
    validation = blend.exported_validation(winner)
    values = {"validation": validation, "test": test.value, "test_low": test.low, "test_high": test.high}
    return Facts(
        task=stage.header.task["name"],
        family="ensemble" if blend.taken else winner.attempt.family,
        search=stage.header.name,
        slot=winner.attempt.slot,
        seed=stage.config.seed,
        metric=stage.header.task["metric"],
        direction=stage.header.task["direction"],
        values={**values, **evidence.baselines},
        data=stage.data.content,
    )
