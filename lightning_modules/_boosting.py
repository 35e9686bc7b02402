"""Gradient boosting, a round at a time, with the tree grower of scikit-learn's HistGradientBoosting. Knows no Lightning.

The estimator itself could go on from round to round (`warm_start`), but bins all rows and walks all trees anew each time; and it
knows only the classes that its rows have. Its private parts are used in this file alone; `tests/lightning_modules` compares
the result with the estimator's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ._trees import MOST_CODES, Tree, trees_per_round

_BINS = 256
"""The last one is for missing values, of which encoded rows have none."""
_CODES = 256
_ROWS_BINNED_BY = 200_000
_ROWS_AT_ONCE = 1 << 16


class Boosting:
    """Rows in bins, and the score that all trees so far give each of them."""

    base: np.ndarray
    """(trees per round,) the score of a row before the first tree."""
    scores: np.ndarray
    """(rows, trees per round)"""
    target: np.ndarray
    """(rows,)"""

    def __init__(
        self,
        *,
        loss: str,
        classes: int,
        cardinalities: tuple[int, ...],
        seed: int,
        class_weights: np.ndarray | None = None,
    ) -> None:
        """`loss` is `cross_entropy`, `mse` or `mae`. `class_weights` (classes,) say how much a row of a class counts."""
        self._is_absolute = loss == "mae"
        self.is_complete = False
        """Whether all rows were added."""
        self._classes, self._cardinalities, self._class_weights = classes, cardinalities, class_weights
        self._mapper: Any = None
        self._parts: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._random, self._seed = np.random.default_rng(seed), seed

    def add(self, inputs: np.ndarray, target: np.ndarray, *, is_last: bool = True) -> None:
        """Bin more rows (rows, features) with their target (rows,); the first that come decide the bins."""
        if self._mapper is None:
            self._mapper = _bins_of(inputs, self._cardinalities, self._seed)
        slices = (inputs[start : start + _ROWS_AT_ONCE] for start in range(0, len(inputs), _ROWS_AT_ONCE))
        self._parts += [self._mapper.transform(rows.astype(np.float64)) for rows in slices]
        self._targets.append(target)
        if is_last:
            self._begin()

    def _begin(self) -> None:
        self.target = np.concatenate(self._targets)
        self._binned = np.empty((len(self.target), self._parts[0].shape[1]), dtype=np.uint8, order="F")
        np.concatenate(self._parts, out=self._binned)
        self._parts, self._targets, self.is_complete = [], [], True
        self._weights = None if self._class_weights is None else self._class_weights[self.target]
        self.base = _first_score(self.target, self._classes, self._weights, self._is_absolute)
        self.scores = np.tile(self.base, (len(self.target), 1))

    def grow(
        self,
        *,
        lr: float,
        max_leaf_nodes: int,
        max_depth: int,
        min_samples_leaf: int,
        l2_regularization: float,
        max_features: float,
        rows: float,
    ) -> list[Tree]:
        """Return one round's trees, grown on a share `rows` of the rows; all rows' scores move on."""
        from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower

        chosen = self._choose(rows)
        binned = np.asfortranarray(self._binned[chosen])
        weights = None if self._weights is None else self._weights[chosen]
        gradients, hessians = _derivatives(self.scores[chosen], self.target[chosen], self._classes, weights)
        directions = np.sign(gradients) if self._is_absolute else gradients
        trees = []
        for place in range(gradients.shape[1]):
            grower = TreeGrower(
                binned,
                np.ascontiguousarray(directions[:, place]),
                np.ascontiguousarray(hessians[:, place]),
                n_bins=_BINS,
                n_bins_non_missing=self._mapper.n_bins_non_missing_,
                is_categorical=self._mapper.is_categorical_,
                max_leaf_nodes=max_leaf_nodes,
                max_depth=max_depth,
                min_samples_leaf=min_samples_leaf,
                l2_regularization=l2_regularization,
                feature_fraction_per_split=max_features,
                rng=self._random,
                shrinkage=lr,
                n_threads=1,  # forked workers: a parent's OpenMP threads would be gone; and one thread adds in one order
            )
            grower.grow()
            if self._is_absolute:
                for leaf in grower.finalized_leaves:
                    leaf.value = -lr * float(np.median(gradients[leaf.sample_indices, place]))
            predictor = grower.make_predictor(self._mapper.bin_thresholds_)
            self.scores[:, place] += predictor.predict_binned(self._binned, _BINS - 1, 1)
            trees.append(_tree(predictor))
        return trees

    def _choose(self, share: float) -> np.ndarray | slice:
        if share >= 1:
            return slice(None)
        count = len(self.target)
        return np.sort(self._random.choice(count, max(1, round(share * count)), replace=False))


def _bins_of(inputs: np.ndarray, cardinalities: tuple[int, ...], seed: int) -> Any:
    """Return scikit-learn's bins of the rows (rows, features); of many rows by some, as scikit-learn itself does."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    codes = [n if n <= MOST_CODES else 0 for n in cardinalities] or [0] * inputs.shape[1]
    mapper = _BinMapper(
        n_bins=_BINS,
        is_categorical=np.array(codes, dtype=bool),
        known_categories=[np.arange(n, dtype=np.float64) if n else None for n in codes],
        random_state=seed % 2**32,
        n_threads=1,
    )
    if len(inputs) > _ROWS_BINNED_BY:
        inputs = inputs[np.sort(np.random.default_rng(seed).choice(len(inputs), _ROWS_BINNED_BY, replace=False))]
    return mapper.fit(inputs.astype(np.float64))


def _first_score(target: np.ndarray, classes: int, weights: np.ndarray | None, is_absolute: bool) -> np.ndarray:
    """The mean or median, or the logarithms of the classes' shares (of two: their difference); a class without rows is very unlikely."""
    if not classes:
        return np.array([np.median(target) if is_absolute else target.mean(dtype=np.float64)])
    shares = np.bincount(target, weights, minlength=classes) / (len(target) if weights is None else weights.sum())
    logs = np.log(shares.clip(np.finfo(np.float32).eps, 1 - np.finfo(np.float32).eps))
    scores: np.ndarray = logs[1:] - logs[:1] if classes == 2 else logs - logs.mean()
    return scores


def _derivatives(
    scores: np.ndarray, target: np.ndarray, classes: int, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives of the loss by the scores, (rows, trees per round) float32; a constant second is (1, 1)."""
    if not classes:
        return (scores - target[:, None]).astype(np.float32), np.ones((1, 1), dtype=np.float32)
    own = torch.from_numpy(scores)
    shares = (own.sigmoid() if classes == 2 else own.softmax(dim=1)).numpy()
    is_class = target[:, None] == (1 if classes == 2 else np.arange(trees_per_round(classes)))
    first, second = shares - is_class, shares * (1 - shares)
    if weights is not None:
        first, second = first * weights[:, None], second * weights[:, None]
    return first.astype(np.float32), second.astype(np.float32)


def _tree(predictor: Any) -> Tree:
    """Read scikit-learn's nodes."""
    nodes = predictor.nodes
    is_leaf, categorical = nodes["is_leaf"].astype(bool), nodes["is_categorical"].astype(bool)
    itself = np.arange(len(nodes))
    children = np.stack([np.where(is_leaf, itself, nodes[side]) for side in ("left", "right")], axis=1)
    codes = np.zeros((len(nodes), _CODES), dtype=bool)
    sets = np.ascontiguousarray(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][categorical]])
    codes[categorical] = np.unpackbits(sets.astype("<u4").view(np.uint8), axis=1, bitorder="little").astype(bool)
    feature = np.where(is_leaf, 0, nodes["feature_idx"])
    return Tree(feature, nodes["num_threshold"], children, nodes["value"], categorical, codes)
