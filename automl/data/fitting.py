"""What each column's encoder learns, from the training rows alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from automl.encoding import (
    Category,
    Date,
    Encoder,
    Forecast,
    Grid,
    Number,
    Series,
    Text,
    Words,
    numbers,
    seconds,
    terms_of,
    tokens_of,
    words,
)
from automl.tasks import Column, Task
from automl.tasks.metrics import METRICS

MOST_LEVELS = 1000
"""Levels of a category that are told apart; rarer ones are treated as unseen."""
_KNOTS = 128
_HEAVY = 5.0
"""A column of which some value lies this many standard deviations from the mean is scaled by its quantiles."""
_MOST_TERMS = 3000
_COMPONENTS = 24
MOST_TEXTS = 100_000
"""Texts that are learned from; more would teach the same and hold every word of each in memory."""
_FEWEST_TEXTS = 3
"""Texts that a term must occur in."""
_SKEWED = 2.0
"""Skewness of the exponential distribution."""
_MOST_WORDS = 20_000
_LONGEST = 160
"""Words of a text that are read at most, however many texts there are."""
_LONGEST_OF_FEW, _MOST_CODES = 3000, 1 << 23
"""Of few texts more are read: so many at most, and no more than all texts together have codes."""


def fit_grid(rows: np.ndarray, columns: tuple[str, ...], task: Task) -> Grid:
    """Means and scales over the rows (rows, numbers), per channel."""
    values = rows.reshape(-1, *task.shape)
    is_bytes = values.dtype == np.uint8
    means, scales = _moments_of_bytes(values) if is_bytes else moments(values, (0, *range(2, values.ndim)))
    return Grid(columns, task.shape, means, scales)


def fit_series(form: Series, rows: np.ndarray) -> Series:
    """Means and scales over the series (rows, numbers), per channel."""
    means, scales = moments(rows.reshape(-1, form.channels, form.steps), (0, 2))
    return replace(form, means=means, scales=scales, gaps=bool(np.isnan(rows).any()))


def fit_forecast(form: Forecast, rows: np.ndarray) -> Forecast:
    """How little a window (rows, numbers) may vary before its own scale means nothing: half of what nearly all windows have.

    And how far columns that are known ahead usually lie from a window's mean.
    """
    variances = form.known(rows).var(axis=2)
    scales = np.sqrt(variances[:, 0])
    least = 0.5 * float(np.quantile(scales[scales > 0], 0.1)) if (scales > 0).any() else 1.0
    usual = np.sqrt(variances.mean(axis=0))
    ahead = tuple(float(usual[form.columns.index(name)]) or 1.0 for name in form.ahead)
    return replace(form, least=least, gaps=bool(np.isnan(rows).any()), ahead_scales=ahead)


def fit_column(column: Column, cells: np.ndarray) -> Encoder:
    """Return the encoder of one column of a table."""
    match column.kind:
        case "number":
            return _fit_number(column, cells)
        case "category":
            return _fit_category(column, cells)
        case "date":
            return _fit_date(column, cells)
        case "text":
            return _fit_text(column, cells[:MOST_TEXTS])
    raise ValueError(f"no encoder for a column that is {column.kind}")


def fit_words(column: Column, cells: np.ndarray) -> Words:
    """The vocabulary of a text that is the whole input, and how many words of it are read: as many as 95 % of texts have."""
    split = [tokens_of(text or "") for text in words(cells)]
    counts = Counter(token for tokens in split for token in tokens)
    vocabulary = [token for token, count in counts.most_common(_MOST_WORDS) if count >= 2]
    length = int(np.quantile([len(tokens) for tokens in split], 0.95)) if split else 1
    return Words(column.name, tuple(vocabulary), max(8, min(longest_read(len(cells), _LONGEST), length)))


def longest_read(texts: int, usual: int) -> int:
    """Return how many codes of each text are read at most: of many texts the usual number, of fewer as many as can be afforded."""
    return max(usual, min(_LONGEST_OF_FEW, _MOST_CODES // max(1, texts)))


def moments(values: np.ndarray, axis: int | tuple[int, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Means and standard deviations of what is known; 0 and 1 where nothing is, 1 where all values are equal."""
    values = np.asarray(values, dtype=np.float64)
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=axis), 1)
    means = np.where(known, values, 0.0).sum(axis=axis) / count
    spread = np.where(known, values - np.expand_dims(means, axis), 0.0)
    scales = np.sqrt(np.square(spread).sum(axis=axis) / count)
    return tuple(np.atleast_1d(means).tolist()), tuple(np.atleast_1d(np.where(scales > 0, scales, 1.0)).tolist())


def learns_logarithm(metric: str, target: np.ndarray) -> bool:
    """Whether a model of this target (rows,), none below 0, is to learn log(1 + target).

    `rmsle` is the squared error of just that. Errors that count as they are, or as shares of the target, ask for the median, and the
    median of logarithms is the median's logarithm: where a few giants would decide what squares teach, they are brought near.
    """
    if not METRICS[metric].of_medians:
        return metric == "rmsle"
    plain, logarithms = _skewness(target), _skewness(np.log1p(target, dtype=np.float64))
    return plain > _SKEWED and abs(logarithms) < plain / 2


def _skewness(values: np.ndarray) -> float:
    deviating = np.asarray(values, dtype=np.float64) - np.mean(values, dtype=np.float64)
    spread = np.sqrt(np.mean(np.square(deviating)))
    return float(np.mean((deviating / spread) ** 3)) if spread > 0 else 0.0


def _moments_of_bytes(values: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """`moments` of each channel, (rows, channels, ...), without the eightfold memory of float64: from counts of the 256 values."""
    means, scales = [], []
    for channel in range(values.shape[1]):
        counts = sum(np.bincount(row.reshape(-1), minlength=256) for row in values[:, channel])
        levels = np.arange(256.0)
        mean = float((levels * counts).sum() / np.sum(counts))
        scale = float(np.sqrt((np.square(levels - mean) * counts).sum() / np.sum(counts)))
        means.append(mean)
        scales.append(scale or 1.0)
    return tuple(means), tuple(scales)


def _fit_number(column: Column, cells: np.ndarray) -> Number:
    values = numbers(cells, column.name, column.blanks, column.spelling)
    (mean,), (scale,) = moments(values, axis=0)
    known = values[~np.isnan(values)]
    gaps = len(known) < len(values)
    if len(known) and np.abs((known - mean) / scale).max() > _HEAVY:
        knots, heights = _quantiles(known)
        if len(knots) > 1:
            return Number(column.name, mean, scale, knots, heights, gaps, column.blanks, column.spelling)
    return Number(column.name, mean, scale, gaps=gaps, blanks=column.blanks, spelling=column.spelling)


def _quantiles(values: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Knots at even quantiles, each at the height that the normal distribution gives its rank."""
    ranked = np.sort(values)
    knots = np.unique(np.quantile(ranked, np.linspace(0, 1, min(_KNOTS, len(ranked)))))
    ranks = (np.searchsorted(ranked, knots, "left") + np.searchsorted(ranked, knots, "right")) / (2 * len(ranked))
    normal = NormalDist()
    heights = [normal.inv_cdf(min(max(rank, 0.001), 0.999)) for rank in ranks.tolist()]
    return tuple(knots.tolist()), tuple(heights)


def _fit_category(column: Column, cells: np.ndarray) -> Category:
    """Levels by frequency, then by name; one that occurs once teaches nothing but what an unseen level is."""
    counts = Counter(word for word in words(cells) if word is not None)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return Category(
        column.name, tuple(level for level, count in ranked[:MOST_LEVELS] if count > 1 or len(ranked) <= 20)
    )


def _fit_date(column: Column, cells: np.ndarray) -> Date:
    found = seconds(cells, column.formats, column.name)
    (mean,), (scale,) = moments(found, axis=0)
    known = found[~np.isnan(found)]
    hours = bool(np.any(known % 86_400.0))
    return Date(column.name, column.formats, mean, scale, hours, len(known) < len(found), utc=True)


def _fit_text(column: Column, cells: np.ndarray) -> Text:
    texts = [terms_of(text or "") for text in words(cells)]
    terms = _terms(texts)
    if len(terms) < 2:  # nothing that two texts share: only the length is left
        return Text(column.name, ("",), (0.0,), ((0.0,),))
    places = {term: place for place, term in enumerate(terms)}
    present = Counter(term for found in texts for term in set(found))
    weights = np.array([math.log((1 + len(texts)) / (1 + present[term])) + 1.0 for term in terms])
    components = _components(texts, places, weights)
    rounded = tuple(tuple(row) for row in components.round(5).tolist())
    return Text(column.name, tuple(terms), tuple(weights.round(6).tolist()), rounded)


def _terms(texts: Iterable[list[str]]) -> list[str]:
    counts = Counter(term for found in texts for term in set(found))
    kept = [(term, count) for term, count in counts.items() if count >= _FEWEST_TEXTS]
    return [term for term, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:_MOST_TERMS]]


def _components(texts: list[list[str]], places: dict[str, int], weights: np.ndarray) -> np.ndarray:
    """(terms, components), scaled so that each feature has unit variance over the training rows."""
    from sklearn.decomposition import TruncatedSVD

    matrix = term_matrix(texts, places, weights)
    reduced = TruncatedSVD(min(_COMPONENTS, len(places) - 1), random_state=0)
    with np.errstate(invalid="ignore"):  # texts that are all alike have no variance to explain
        features = reduced.fit_transform(matrix)
    scales = features.std(axis=0)
    return np.asarray((reduced.components_ / np.where(scales > 0, scales, 1.0)[:, None]).T)


def term_matrix(texts: list[list[str]], places: dict[str, int], weights: np.ndarray) -> Any:
    """Terms of each text -> a sparse (texts, terms) matrix of what `Text` multiplies with its components."""
    from scipy.sparse import csr_matrix

    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for row, found in enumerate(texts):
        counts = Counter(places[term] for term in found if term in places)
        total = math.sqrt(sum(((1 + math.log(n)) * weights[place]) ** 2 for place, n in counts.items()))
        rows += [row] * len(counts)
        columns += counts.keys()
        values += [(1 + math.log(n)) * weights[place] / total for place, n in counts.items()]
    return csr_matrix((values, (rows, columns)), shape=(len(texts), len(places)))
