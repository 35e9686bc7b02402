"""What a model must beat to be worth its trouble: most frequent class or mean, a linear model, boosted trees; by scikit-learn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from automl.data import KNOWN, Arrays, Schema, load_part, load_raw_test, load_schema, load_test_inputs
from automl.messages import Assignment, Outcome
from automl.tasks.metrics import EVEN, METRICS, TUNED, best_threshold
from automl.worker.artifacts import write_arrays
from automl.worker.naive import forecast_baselines
from automl.worker.perform import Places

BOOSTING_SECONDS = 10.0
_MOST_CODES = 255
"""Levels that scikit-learn's trees tell apart in one column."""
_MOST_ROUNDS = 200
"""Of the linear model's solver; on standardised columns it needs a few tens."""
_MOST_LEARNED = 1 << 24
"""Numbers in all: of more rows than hold so many (560,000 of 30 columns) the first are learned from, which lie in no order."""
_MOST_NUMBERS = 2048
"""Of a picture or series: beyond, trees over each number would take longer than the search, and see no more."""

_NUMBERS_AT_ONCE = 1 << 22


def predict_baselines(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    """Fit each baseline on all rows but the test part, and predict that from its inputs alone: the answers stay sealed.

    The artifact `predictions` is an `.npz`: an array per baseline, as `measure` takes them, and `thresholds`, a number for each in
    that order.
    """
    schema = load_schema(places.data, assignment.data)
    known, train, validation = (
        load_part(places.data, assignment.data, part) for part in (KNOWN, "train", "validation")
    )
    inputs, units = load_test_inputs(places.data, assignment.data)
    if schema.horizon:
        raw = load_raw_test(places.data, assignment.data)
        found = forecast_baselines(schema, known, inputs, units, raw)
    else:
        found = fit_baselines(schema, known, inputs, assignment.metric, assignment.deadline)
    chosen = baseline_thresholds(schema, assignment.metric, train, validation)
    thresholds = np.array([chosen.get(name, EVEN) for name in found])
    saved = write_arrays(places.search, assignment.id, {**found, "thresholds": thresholds})
    return (Outcome(assignment.id, 0, "complete", artifacts={"predictions": saved}),)


def fit_baselines(
    schema: Schema, known: Arrays, unknown: np.ndarray, metric: str, longest: float | None = None
) -> dict[str, np.ndarray]:
    """Fit on all rows of `known`, of very many on the first; return each baseline's predictions for encoded rows (rows, *shape).

    Predictions are probabilities (rows, classes), or numbers (rows,) in the target's own units. Names: `majority` for classes
    or `mean` for numbers (`median`, where the metric asks for one), `linear` (logistic or ridge regression, on a column per level of a
    category and on weighted word counts of a text), and, but for texts, `boosted_trees` (histogram gradient boosting with scikit-learn's
    settings, as many of its 100 rounds as fit into `BOOSTING_SECONDS`, or into half of `longest`, the seconds of a training where the
    search has a time budget). Large pictures are averaged down for both.
    """
    from threadpoolctl import threadpool_limits

    known = known.rows(slice(_MOST_LEARNED // int(np.prod(known.inputs.shape[1:]))))
    # One thread: between BLAS threads on a busy machine the linear fit of `digits` took 1 to 9 s instead of 0.03 s.
    with threadpool_limits(1):
        seconds = BOOSTING_SECONDS if longest is None else min(BOOSTING_SECONDS, longest / 2)
        fitted = _Fitted(schema, _flat(known.inputs), known.target, unknown, METRICS[metric].of_medians, seconds)
        found = {fitted.name_of_constant: fitted.constant(), "linear": fitted.linear()}
        return found if schema.input_kind == "text" else {**found, "boosted_trees": fitted.boosted_trees()}


def baseline_thresholds(schema: Schema, metric: str, train: Arrays, validation: Arrays) -> dict[str, float]:
    """Return each baseline's threshold, chosen as a model's is: on validation rows, when it was fitted on the training rows alone.

    `majority` has none, and keeps what its name says. Nothing is fitted for a metric that no threshold serves.
    """
    if metric not in TUNED or len(schema.labels) != 2:
        return {}
    found = fit_baselines(schema, train, validation.inputs, metric)
    return {name: best_threshold(metric, validation.target, rows) for name, rows in found.items() if name != "majority"}


class _Fitted:
    """Fits on some rows, predicts others."""

    def __init__(
        self,
        schema: Schema,
        inputs: np.ndarray,
        target: np.ndarray,
        unknown: np.ndarray,
        of_medians: bool,
        seconds: float,
    ) -> None:
        """`inputs` (rows, features) and `unknown` (more rows, *shape) are encoded; `of_medians` says what is wanted of numbers."""
        self._schema, self._inputs, self._target, self._unknown = schema, inputs, np.asarray(target), unknown
        self._of_medians, self._seconds = of_medians, seconds

    @property
    def name_of_constant(self) -> str:
        """What is predicted for every row."""
        return "majority" if self._schema.labels else "median" if self._of_medians else "mean"

    def constant(self) -> np.ndarray:
        """The classes' shares, the mean or the median, for every row."""
        if not self._schema.labels:
            number = np.median(self._target) if self._of_medians else self._target.mean()
            return self._schema.decode(np.full(len(self._unknown), number))
        shares = np.bincount(self._target, minlength=len(self._schema.labels)) / len(self._target)
        return np.tile(shares, (len(self._unknown), 1))

    def linear(self) -> np.ndarray:
        """Logistic or ridge regression."""
        from sklearn.linear_model import LogisticRegression, Ridge

        columns = _linear_columns(self._schema, self._inputs)
        model = LogisticRegression(max_iter=_MOST_ROUNDS) if self._schema.labels else Ridge(alpha=1.0)
        return self._predicted(_quietly(model, columns(self._inputs), self._target), columns)

    def boosted_trees(self) -> np.ndarray:
        """Histogram gradient boosting; a category of few enough levels is split by level.

        Of more than two classes with a penalty: without one leaves of rare classes grow beyond all bounds.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        codes = self._schema.cardinalities or (0,) * self._inputs.shape[1]
        model: Any = HistGradientBoostingClassifier
        settings: dict[str, Any] = {"l2_regularization": float(len(self._schema.labels) > 2)}
        if not self._schema.labels:
            model = HistGradientBoostingRegressor
            settings = {"loss": "absolute_error" if self._of_medians else "squared_error"}
        trees = boost(
            model, self._inputs, self._target, [0 < n <= _MOST_CODES for n in codes], self._seconds, **settings
        )
        return self._predicted(trees, lambda rows: rows)

    def _predicted(self, model: Any, columns: Callable[[np.ndarray], Any]) -> np.ndarray:
        """A class without known rows stays at 0."""
        found = np.zeros((len(self._unknown), max(1, len(self._schema.labels))))
        step = max(1, _NUMBERS_AT_ONCE // self._inputs.shape[1])
        for start in range(0, len(found), step):
            rows = columns(_flat(self._unknown[start : start + step]))
            if self._schema.labels:
                found[start : start + step, model.classes_] = model.predict_proba(rows)
            else:
                found[start : start + step, 0] = model.predict(rows)
        return found if self._schema.labels else self._schema.decode(found)


def boost(
    model: Any, inputs: np.ndarray, target: np.ndarray, is_category: list[bool], seconds: float, **settings: Any
) -> Any:
    """Return boosted trees after 100 rounds, or as many as fit into these seconds at the pace of the first 10."""
    settings["categorical_features"] = is_category if any(is_category) else None
    trees = model(max_iter=10, warm_start=True, early_stopping=False, random_state=0, **settings)
    began = time.monotonic()
    trees.fit(inputs, target)
    rounds = int(10 * seconds / (time.monotonic() - began))
    return trees.set_params(max_iter=max(10, min(100, rounds))).fit(inputs, target)


def _linear_columns(schema: Schema, known: np.ndarray) -> Callable[[np.ndarray], Any]:
    """What turns encoded rows into a linear model's: numbers as they are, a column per level of a category; of a text word counts."""
    if schema.vocabulary is not None:
        return _word_counts(schema.vocabulary, known)
    codes = np.flatnonzero(schema.cardinalities)
    if not len(codes):
        return lambda rows: rows
    from scipy.sparse import csr_matrix, hstack
    from sklearn.preprocessing import OneHotEncoder

    levels = [np.arange(schema.cardinalities[place]) for place in codes]
    encoder = OneHotEncoder(categories=levels, dtype=np.float32)
    encoder.fit(known[:1, codes])
    numbers = np.setdiff1d(np.arange(known.shape[1]), codes)
    return lambda rows: hstack([csr_matrix(rows[:, numbers]), encoder.transform(rows[:, codes])]).tocsr()


def _word_counts(vocabulary: int, known: np.ndarray) -> Callable[[np.ndarray], Any]:
    """Counts of words, weighted by how few of the known texts have them."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer

    def counted(rows: np.ndarray) -> Any:
        places = np.repeat(np.arange(len(rows)), rows.shape[1])
        codes = rows.astype(np.int64).ravel()
        real = codes > 0
        return csr_matrix((np.ones(real.sum()), (places[real], codes[real])), shape=(len(rows), vocabulary))

    weights = TfidfTransformer(sublinear_tf=True).fit(counted(known))
    return lambda rows: weights.transform(counted(rows))


def _quietly(model: Any, inputs: Any, target: np.ndarray) -> Any:
    """A linear model that has not converged is a baseline all the same."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(inputs, target)


def _flat(inputs: np.ndarray) -> np.ndarray:
    """(rows, *shape) -> (rows, features); pictures and series are halved until their numbers are few enough."""
    inputs = np.asarray(inputs)
    while inputs.ndim == 4 and inputs[0].size > _MOST_NUMBERS and min(inputs.shape[2:]) > 1:
        rows, channels, height, width = inputs.shape
        even = inputs[:, :, : height // 2 * 2, : width // 2 * 2]
        inputs = even.reshape(rows, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
    while inputs.ndim == 3 and inputs[0].size > _MOST_NUMBERS and inputs.shape[2] > 1:
        inputs = inputs[:, :, : inputs.shape[2] // 2 * 2].reshape(*inputs.shape[:2], -1, 2).mean(axis=3)
    return inputs.reshape(len(inputs), -1)
