"""The winner: how sure its test result is, and what the search was worth."""

from automl.winner.sealed import Interval, Scores, bootstrap, paired_difference, read_scores
from automl.winner.verdict import Verdict, decide

__all__ = ["Interval", "Scores", "Verdict", "bootstrap", "decide", "paired_difference", "read_scores"]
