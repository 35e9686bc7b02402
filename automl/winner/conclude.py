"""From final trials to a verdict: confirm on fresh seeds, refit, score the sealed test once, export, judge.

The story of the second half of a search; every step is carried out by the coordinator, and taken up again after a kill.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from automl.winner.confirm import Candidate, WinnerWork, default_of
from automl.winner.evidence import Evidence, weigh
from automl.winner.gate import Challenge, challenge
from automl.winner.sealed import read_scores
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

    def document(self) -> dict[str, Any]:
        """Return its part of the search's JSON document."""
        trial, default, test = self.winner.attempt, self.default, self.evidence.test
        return {
            "best": {
                "family": trial.family,
                "slot": trial.slot,
                "params": trial.params,
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
    )
    stage.phases.begin("confirm")
    stage.champion.ask()
    rivals = _confirm(stage, work, trials)
    winner = work.choose(rivals)
    first = default_of(winner.attempt.family, trials)
    default = next((one for one in rivals if one.attempt is first), None)
    stage.phases.begin("export")
    with CleanProcess(config.families_from) as clean:
        staging, score, champion = _finish(stage, work, winner, default)
        scores = read_scores(stage.folder.root / score.artifacts["predictions"].path)
        evidence = weigh(work.metric, direction, scores, seed=config.seed)
        others = [one.values for one in rivals if one is not winner and one is not default]
        fresh = Fresh(winner.values, default.values, others) if default not in (None, winner) else None
        verdict = decide(fresh, evidence, direction)
        gate = None
        if champion is not None:
            trouble = score.reason or champion["trouble"]
            gate = challenge(work.metric, direction, scores, champion, trouble, seed=config.seed)
        facts = _facts(stage, winner, evidence)
        bundle = publish(staging, Path("exports") / stage.task.name, facts, verify=clean.verify)
    return Conclusion(winner, default, tuple(rivals), evidence, verdict, bundle, gate)


def _confirm(stage: Stage, work: WinnerWork, trials: list[Attempt]) -> list[Candidate]:
    """Train the best configurations and their families' defaults on the same fresh seeds."""
    rivals, outcomes = work.rivals(trials), dict[tuple[Kind, int, int], Outcome]()
    candidates: list[Candidate] = []
    for parts in work.rounds():
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
    stage: Stage, work: WinnerWork, winner: Candidate, default: Candidate | None
) -> tuple[Path, Outcome, dict[str, Any] | None]:
    """Refit winner and default, then export and score side by side.

    Returns the staged bundle, the one reading of the test part, and the champion that it was to stand up to.
    """
    rival = default if default is not winner else None
    refit = Plan([work.refit(one) for one in (winner, rival) if one is not None], work.describe)
    stage.coordinator.carry_out(refit, "refit")
    weights = _done(refit, "refit", winner).artifacts["weights"].path
    other = refit.outcomes.get(("refit", rival.attempt.slot, 0)) if rival is not None else None
    refitted = other is not None and other.state == "complete"
    against = (rival, other.artifacts["weights"].path) if rival is not None and other is not None and refitted else None
    final = Plan(work.finishing(winner, weights, against, stage.champion.answer()), work.describe)
    stage.coordinator.carry_out(final, "export", "score")
    staged = next(iter(_done(final, "export", winner).artifacts.values())).path
    # What was scored may have been assigned by an earlier run of this command, when another version was the champion.
    assigned = stage.ledger.attempts(kind="score", final=True)[-1].suggestion
    return (stage.folder.root / staged).parent, _done(final, "score", winner), assigned.get("champion")


def _facts(stage: Stage, winner: Candidate, evidence: Evidence) -> Facts:
    test = evidence.test
    values = {"validation": winner.mean, "test": test.value, "test_low": test.low, "test_high": test.high}
    return Facts(
        task=stage.task.name,
        family=winner.attempt.family,
        search=stage.header.name,
        slot=winner.attempt.slot,
        seed=stage.config.seed,
        metric=stage.header.task["metric"],
        direction=stage.header.task["direction"],
        values={**values, **evidence.baselines},
        data=stage.data.content,
    )


def _done(plan: Plan, kind: Kind, winner: Candidate) -> Outcome:
    outcome = plan.outcomes.get((kind, winner.attempt.slot, 0))
    if outcome is None or outcome.state != "complete":
        why = outcome.reason if outcome is not None else "it was never carried out"
        raise AutoMLError(f"the winner's {kind} failed: {why}.", hint="Run the same command again to go on from here.")
    return outcome
