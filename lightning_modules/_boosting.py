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


class Boosting:
    """Rows in bins, and the score that all trees so far give each of them."""

    def __init__(
        self,
        inputs: np.ndarray,
        target: np.ndarray,
        visited: np.ndarray,
        *,
        classes: int,
        cardinalities: tuple[int, ...],
        seed: int,
        class_weights: np.ndarray | None = None,
    ) -> None:
        """`inputs` (rows, features) and `target` (rows,); bins and the first score are those of the rows `visited`.

        `class_weights` (classes,) say how much a row of a class counts, as scikit-learn's weights of rows do.
        """
        from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

        codes = [n if n <= MOST_CODES else 0 for n in cardinalities] or [0] * inputs.shape[1]
        self._mapper = _BinMapper(
            n_bins=_BINS,
            is_categorical=np.array(codes, dtype=bool),
            known_categories=[np.arange(n, dtype=np.float64) if n else None for n in codes],
            random_state=seed % 2**32,
            n_threads=1,
        )
        numbers = inputs.astype(np.float64)
        self._mapper.fit(numbers[visited])
        self._binned = self._mapper.transform(numbers)
        self._classes = classes
        self._target = target
        self._weights = None if class_weights is None else class_weights[target]
        self._random = np.random.default_rng(seed)
        self.base = _first_score(target[visited], classes, None if self._weights is None else self._weights[visited])
        """(trees per round,) the score of a row before the first tree."""
        self.scores = np.tile(self.base, (len(target), 1))
        """(rows, trees per round)"""

    def grow(
        self,
        visited: np.ndarray,
        *,
        lr: float,
        max_leaf_nodes: int,
        max_depth: int,
        min_samples_leaf: int,
        l2_regularization: float,
        max_features: float,
        rows: float,
    ) -> list[Tree]:
        """Return one round's trees, grown on a share `rows` of the rows `visited`; all rows' scores move on."""
        from sklearn.ensemble._hist_gradient_boosting.grower import TreeGrower

        chosen = self._choose(visited, rows)
        binned = np.asfortranarray(self._binned[chosen])
        weights = None if self._weights is None else self._weights[chosen]
        gradients, hessians = _derivatives(self.scores[chosen], self._target[chosen], self._classes, weights)
        trees = []
        for place in range(gradients.shape[1]):
            grower = TreeGrower(
                binned,
                np.ascontiguousarray(gradients[:, place]),
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
            predictor = grower.make_predictor(self._mapper.bin_thresholds_)
            self.scores[:, place] += predictor.predict_binned(self._binned, _BINS - 1, 1)
            trees.append(_tree(predictor))
        return trees

    def _choose(self, visited: np.ndarray, share: float) -> np.ndarray:
        if share >= 1:
            return visited
        drawn = self._random.choice(len(visited), max(1, round(share * len(visited))), replace=False)
        chosen: np.ndarray = visited[np.sort(drawn)]
        return chosen


def _first_score(target: np.ndarray, classes: int, weights: np.ndarray | None) -> np.ndarray:
    """The mean, or the logarithms of the classes' shares (of two: their difference); a class without rows is very unlikely."""
    if not classes:
        return np.array([target.mean(dtype=np.float64)])
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
