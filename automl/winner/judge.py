"""From the one reading of the test part to a judgement: evidence, verdict, the champion's place, calibration. Runs and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from automl.winner.blend import Blend
from automl.winner.calibration import Calibration, calibrate
from automl.winner.confirm import Candidate, Scored
from automl.winner.evidence import Evidence, weigh
from automl.winner.gate import Challenge, challenge
from automl.winner.sealed import Scores
from automl.winner.verdict import Fresh, Verdict, decide

_CUT = (
    "Time cut the refit short, so what is exported learned from the training rows alone, as it was validated: more --time adds the "
    "validation rows."
)


@dataclass(frozen=True, slots=True)
class Finalists:
    """Who is judged by the test part, chosen before it was read."""

    winner: Candidate
    default: Candidate | None
    """The default of the winner's family; None where it did not complete."""
    rivals: tuple[Candidate, ...]
    """All that were confirmed on the same fresh seeds, those two among them."""
    scored: tuple[Scored, ...]
    """The refitted weights."""
    blend: Blend
    """Whether an ensemble took the winner's place, and why."""

    @property
    def validation(self) -> float:
        """The validation value of what is exported."""
        return self.blend.exported_validation(self.winner)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the test part says of the finalists."""

    evidence: Evidence
    """The steering metric of exactly the exported weights, against others on the same rows."""
    verdict: Verdict
    challenge: Challenge | None
    """Against the registered champion; None with tracking off, or where MLflow did not answer."""
    calibration: Calibration | None
    """None for numbers."""


def judge(
    task: dict[str, Any],
    finalists: Finalists,
    scores: Scores,
    *,
    seed: int,
    champion: dict[str, Any] | None = None,
    trouble: str = "",
) -> Judgement:
    """Judge what is exported by a task's `metric`, `direction` and `kind`.

    `champion` is the registered `version` (None where there is none) with the `trouble` of fetching it, `trouble` that of scoring it.
    """
    metric, direction = task["metric"], task["direction"]
    evidence = weigh(metric, direction, scores, seed=seed)
    gate = None
    if champion is not None:
        gate = challenge(metric, direction, scores, champion, trouble or champion["trouble"], seed=seed)
    calibration = None
    if task["kind"] == "classification":
        calibration = calibrate(scores.target, scores.predictions["model"], finalists.blend.exported_temperature)
    return Judgement(evidence, _verdict(finalists, evidence, direction), gate, calibration)


def _verdict(finalists: Finalists, evidence: Evidence, direction: str) -> Verdict:
    winner, default, taken = finalists.winner, finalists.default, finalists.blend.taken
    is_own_default = winner is default
    fresh = None
    if default is not None and not is_own_default:
        others = [one.values for one in finalists.rivals if one is not winner and one is not default]
        fresh = Fresh(winner.values, default.values, others)
    verdict = decide(
        fresh,
        evidence,
        direction,
        is_default=is_own_default and not taken,
        is_replaced=is_own_default and taken,
        validation=finalists.validation,
    )
    if any(one.is_of_trial for one in finalists.scored if one.role == "model"):
        verdict = replace(verdict, reasons=(*verdict.reasons, _CUT))
    return verdict
