"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, judge, export.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl.bundle import Facts, read_manifest
from automl.coordinator.stage import Stage
from automl.export import CleanProcess, publish
from automl.ledger import Attempt, Header
from automl.messages import Outcome
from automl.winner.blend import choose_blend
from automl.winner.confirm import WinnerWork, default_of
from automl.winner.evidence import Evidence
from automl.winner.judge import Finalists, Judgement, judge
from automl.winner.sealed import read_importance, read_scores
from automl.winner.steps import confirm_rivals, export_and_score, refit_all


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a search came to."""

    finalists: Finalists
    judgement: Judgement
    score: str
    """Key of the reading of the test part that it was judged by."""
    bundle: Path
    importance: dict[str, list[float]]
    """Of a table's columns: the loss of the metric when one is shuffled, and its standard error; the most important first."""

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        finalists, found, blend = self.finalists, self.judgement, self.finalists.blend
        trial, default, test = finalists.winner.attempt, finalists.default, found.evidence.test
        return {
            "best": {
                "family": "ensemble" if blend.taken else trial.family,
                "slot": trial.slot,
                "params": blend.weights if blend.taken else trial.params,
                "trial_value": trial.value,
                "validation": finalists.validation,
                "epochs": finalists.winner.epochs,
                "test": test.value,
                "test_interval": [test.low, test.high],
                "threshold": blend.exported_threshold,
            },
            "default": None
            if default is None
            else {"slot": default.attempt.slot, "family": default.attempt.family, "validation": default.mean},
            "confirmed": [
                {"slot": one.attempt.slot, "family": one.attempt.family, "values": list(one.values)}
                for one in finalists.rivals
            ],
            "baselines": found.evidence.baselines,
            "test_gains": {name: [gain.value, gain.low, gain.high] for name, gain in found.evidence.gains.items()},
            "verdict": found.verdict.words,
            "reasons": list(found.verdict.reasons),
            "ensemble": blend.document(),
            "calibration": None if found.calibration is None else asdict(found.calibration),
            "importance": self.importance,
            "score": self.score,
            "bundle": str(self.bundle),
            "bundle_digest": read_manifest(self.bundle).digest,
            "registered": None,
            "challenge": None if found.challenge is None else found.challenge.document(),
        }


def conclude(stage: Stage, trials: list[Attempt]) -> Conclusion:
    """Return the winner with its verdict, exported. Raises AutoMLError where a step failed; the same command goes on there."""
    config, task = stage.config, stage.header.task
    work = WinnerWork(
        stage.spec,
        stage.data,
        task["metric"],
        task["direction"],
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
        finalists = Finalists(winner, default, tuple(rivals), tuple(scored), blend)
        scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
        found = judge(task, finalists, scores, seed=config.seed, champion=champion, trouble=score.reason)
        facts, importance = facts_of(stage.header, finalists, found.evidence), _importance(stage, score)
        bundle = publish(staging, Path("exports") / task["name"], facts, importance=importance, verify=clean.verify)
    return Conclusion(finalists, found, score.assignment, bundle, importance)


def _importance(stage: Stage, score: Outcome) -> dict[str, list[float]]:
    explained = score.artifacts.get("explained")  # an older version explained nothing
    return {} if explained is None else read_importance(stage.folder.root / explained.path)


def facts_of(header: Header, finalists: Finalists, evidence: Evidence) -> Facts:
    """Return what the bundle says of itself."""
    test, trial, task = evidence.test, finalists.winner.attempt, header.task
    values = {"validation": finalists.validation, "test": test.value, "test_low": test.low, "test_high": test.high}
    return Facts(
        task=task["name"],
        family="ensemble" if finalists.blend.taken else trial.family,
        search=header.name,
        slot=trial.slot,
        seed=header.config["seed"],
        metric=task["metric"],
        direction=task["direction"],
        values={**values, **evidence.baselines},
        data=header.data["content"],
    )
