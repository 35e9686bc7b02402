"""From probabilities to decisions: of two classes the second is decided for above a threshold. Knows no models and no parts.

The threshold that a metric wants is not the one that happened to be best on the rows at hand: with 27 rows of the rare class that one
says 0.06 to 0.08 more F1 than new rows confirm (reports/LOG.md). Instead probabilities are fitted to the rows by Platt's two numbers
("Probabilistic Outputs for Support Vector Machines", 1999), and the threshold is best by the counts that those lead one to expect:
the plug-in rule, optimal for all metrics of counts (Koyejo et al. 2014, "Consistent Binary Classification with Generalized
Performance Metrics", NeurIPS).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

EVEN = 0.5
"""Where both classes are as likely: right for accuracy, and all that is known without rows of both."""
_GROUPS = 2048
"""Rows of like probability are taken together where there are more."""
_LEAST, _STEPS, _LONGEST_STEP, _CLOSE = 1e-12, 30, 2.0, 1e-6


def decide(prediction: np.ndarray, threshold: float = EVEN) -> np.ndarray:
    """Return (rows,) classes for probabilities (rows, classes): of two the second above `threshold`, of more the most probable."""
    return np.asarray(weighed(prediction, threshold).argmax(axis=1))


def weighed(prediction: np.ndarray, threshold: float) -> np.ndarray:
    """Return scores (rows, classes) of which the largest is the decision; at 0.5 the probabilities themselves."""
    return prediction if threshold == EVEN else prediction * np.array([threshold, 1.0 - threshold])


def best_threshold(name: str, target: np.ndarray, prediction: np.ndarray) -> float:
    """Return the threshold by which the metric `name` may be expected to be best on rows like these.

    0.5 for a metric that no threshold serves (of probabilities, or `accuracy`), for more than two classes, without rows of both, and
    where a prediction is no number. `target` is (rows,) class indices, `prediction` (rows, 2) probabilities; a sort and a few sums.
    """
    curve = _CURVES.get(name)
    positive = int(np.count_nonzero(target))
    if curve is None or prediction.shape[1] != 2 or positive in (0, len(target)) or not np.isfinite(prediction).all():
        return EVEN
    order = np.argsort(-prediction[:, 1], kind="stable")
    score, starts = prediction[order, 1], np.unique(np.linspace(0, len(order), _GROUPS, endpoint=False).astype(int))
    claims = np.append(starts, len(order))
    chance = _fitted(np.add.reduceat(_log_odds(score), starts), np.add.reduceat(target[order], starts), np.diff(claims))
    hits = np.append(0.0, np.cumsum(chance))
    values = curve(hits, claims - hits, hits[-1], len(order) - hits[-1])
    above, below = np.append(1.0, score)[claims], np.append(score, 0.0)[claims]
    values[above == below] = -np.inf  # equal probabilities are decided alike
    place = int(values.argmax())
    return float(np.clip((above[place] + below[place]) / 2, _LEAST, 1 - _LEAST))


def _fitted(odds: np.ndarray, positive: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return how many rows of the second class to expect in each group, by a logistic function of the mean log-odds.

    `odds` are sums over each group's `rows`, `positive` its rows of the second class. The function is fitted by Newton's steps to
    Platt's targets, a little inside 0 and 1, so that classes without overlap have a fit as well.
    """
    means, whole, of_class = odds / rows, rows.sum(), positive.sum()
    middle = odds.sum() / whole
    spread = np.sqrt((rows * (means - middle) ** 2).sum() / whole) or 1.0
    columns = np.stack([(means - middle) / spread, np.ones(len(means))])
    low, high = 1 / (whole - of_class + 2), (of_class + 1) / (of_class + 2)
    aims = low * (rows - positive) + high * positive
    share = aims.sum() / whole
    numbers = np.array([0.0, np.log(share / (1 - share))])

    def loss(numbers: np.ndarray) -> float:
        told = numbers @ columns
        return float(rows @ np.logaddexp(0.0, told) - aims @ told)

    for _ in range(_STEPS):
        found = _logistic(numbers @ columns)
        slopes = columns @ (rows * found - aims)
        bends = (columns * (rows * found * (1 - found))) @ columns.T + _CLOSE * np.eye(2)
        step = np.clip(np.linalg.solve(bends, slopes), -_LONGEST_STEP, _LONGEST_STEP)
        while loss(numbers - step) > loss(numbers) and np.abs(step).max() >= _CLOSE:
            step /= 2  # of a rare class whole steps leap to and fro (Lin et al. 2007, "A note on Platt's probabilistic outputs")
        numbers = numbers - step
        if np.abs(step).max() < _CLOSE:
            break
    return np.asarray(rows * _logistic(numbers @ columns))


def _log_odds(probability: np.ndarray) -> np.ndarray:
    inside = np.clip(np.asarray(probability, dtype=np.float64), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(inside / (1 - inside)))


def _logistic(odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))))


def _recalls(hits: np.ndarray, wrong: np.ndarray, positive: float, negative: float) -> np.ndarray:
    return hits / positive + (negative - wrong) / negative


def _f1(hits: np.ndarray, wrong: np.ndarray, positive: float, negative: float) -> np.ndarray:
    return np.asarray(2 * hits / (hits + wrong + positive))


def _f1_of_both(hits: np.ndarray, wrong: np.ndarray, positive: float, negative: float) -> np.ndarray:
    return _f1(hits, wrong, positive, negative) + _f1(negative - wrong, positive - hits, negative, positive)


_CURVES: dict[str, Callable[[np.ndarray, np.ndarray, float, float], np.ndarray]] = {
    "balanced_accuracy": _recalls,
    "f1": _f1,
    "f1_macro": _f1_of_both,
}
"""Metrics of decisions whose best threshold is not 0.5, up to a factor: of the rows that the second class is rightly and wrongly decided
for, one number per threshold, and of the rows of the second and the first class."""
TUNED = frozenset(_CURVES)
"""Their names."""
