"""The winner: how sure its test result is, and what the search was worth."""

from automl.winner.evidence import Evidence, weigh
from automl.winner.sealed import Interval, Scores, bootstrap, paired_difference, read_importance, read_scores
from automl.winner.verdict import Fresh, Verdict, decide

__all__ = [
    "Evidence",
    "Fresh",
    "Interval",
    "Scores",
    "Verdict",
    "bootstrap",
    "decide",
    "paired_difference",
    "read_importance",
    "read_scores",
    "weigh",
]
