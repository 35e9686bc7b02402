"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, export, judge.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from automl.bundle import Facts
from automl.errors import AutoMLError
from automl.export import publish, verify_in_clean_process
from automl.ledger import Attempt
from automl.messages import Kind, Outcome
from automl.search.plan import Plan
from automl.search.stage import Stage
from automl.winner.confirm import Candidate, WinnerWork
from automl.winner.sealed import Interval, bootstrap, read_scores
from automl.winner.verdict import Verdict, decide


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a search came to."""

    winner: Candidate
    default: Candidate | None
    """The default of the best trial's family; None where it did not complete."""
    test: Interval
    """The steering metric of exactly the exported weights on the test part."""
    baselines: dict[str, float]
    """The same metric of each baseline on the same rows."""
    verdict: Verdict
    bundle: Path

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        trial, default = self.winner.attempt, self.default
        return {
            "best": {
                "family": trial.family,
                "slot": trial.slot,
                "params": trial.params,
                "trial_value": trial.value,
                "validation": self.winner.mean,
                "epochs": self.winner.epochs,
                "test": self.test.value,
                "test_interval": [self.test.low, self.test.high],
            },
            "default": None if default is None else {"slot": default.attempt.slot, "validation": default.mean},
            "baselines": self.baselines,
            "verdict": self.verdict.words,
            "reasons": list(self.verdict.reasons),
            "bundle": str(self.bundle),
            "registered": None,
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
    )
    stage.phases.begin("confirm")
    best, default = _confirm(stage, work, trials)
    winner = best if default is None or work.better(best, default) else default  # a tie goes to the default
    stage.phases.begin("export")
    staging, score = _finish(stage, work, winner)
    scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
    test = bootstrap(work.metric, scores.target, scores.predictions["model"], seed=config.seed)
    baselines = {name: score.values[name] for name in scores.predictions if name != "model"}
    values = {"validation": winner.mean, "test": test.value, "test_low": test.low, "test_high": test.high, **baselines}
    verify = partial(verify_in_clean_process, families_from=config.families_from)
    bundle = publish(staging, Path("exports") / stage.task.name, _facts(stage, winner, values), verify=verify)
    verdict = decide(*_paired(best, default or best), direction=direction, test=test.value, baselines=baselines)
    return Conclusion(winner, default, test, baselines, verdict, bundle)


def _confirm(stage: Stage, work: WinnerWork, trials: list[Attempt]) -> tuple[Candidate, Candidate | None]:
    """Train the best configuration and its family's default on the same fresh seeds."""
    best = work.best_trial(trials)
    assert best is not None
    default = next(trial for trial in trials if trial.family == best.family)
    rivals = [best] if best is default or default.state != "complete" else [best, default]
    plan = Plan(work.confirmations(rivals), work.describe, stage.deadline.confirmation_over)
    stage.coordinator.carry_out(plan, "confirm")
    confirmed = [work.candidate(trial, plan.outcomes) for trial in rivals]
    return confirmed[0], confirmed[-1] if default in rivals else None


def _finish(stage: Stage, work: WinnerWork, winner: Candidate) -> tuple[Path, Outcome]:
    """Refit, then export and score side by side; returns the staged bundle and the outcome of the one test reading."""
    refit = Plan([work.refit(winner)], work.describe)
    stage.coordinator.carry_out(refit, "refit")
    weights = _done(refit, "refit", winner).artifacts["weights"].path
    final = Plan(work.finishing(winner, weights), work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    staged = next(iter(_done(final, "export", winner).artifacts.values())).path
    return (stage.folder.root / staged).parent, _done(final, "score", winner)


def _facts(stage: Stage, winner: Candidate, values: dict[str, float]) -> Facts:
    return Facts(
        task=stage.task.name,
        family=winner.attempt.family,
        search=stage.header.name,
        slot=winner.attempt.slot,
        seed=stage.config.seed,
        metric=stage.header.task["metric"],
        direction=stage.header.task["direction"],
        values=values,
        data=stage.data.content,
    )


def _done(plan: Plan, kind: Kind, winner: Candidate) -> Outcome:
    outcome = plan.outcomes.get((kind, winner.attempt.slot, 0))
    if outcome is None or outcome.state != "complete":
        why = outcome.reason if outcome is not None else "it was never carried out"
        raise AutoMLError(f"the winner's {kind} failed: {why}.", hint="Run the same command again to go on from here.")
    return outcome


def _paired(best: Candidate, default: Candidate) -> tuple[list[float], list[float]]:
    """Return values of best and default on the seeds that both have; the trials' own where time allowed none."""
    common = min(len(best.values), len(default.values))
    if common == 0:
        return [best.mean], [default.mean]
    return list(best.values[:common]), list(default.values[:common])
