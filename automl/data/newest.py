"""Rows by their time: the newer ones are a part of their own. Draws nothing."""

from __future__ import annotations

import numpy as np

from automl.tasks import Rows


def newer(moment: np.ndarray, rows: Rows, groups: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Which rows are newer and which older: row by row, or where there are groups by the newest row of each."""
    if rows.group is None or moment.ndim > 1:
        return _newest(moment, share)
    distinct, place, count = np.unique(groups, return_inverse=True, return_counts=True)
    last = np.full(len(distinct), -np.inf)
    np.maximum.at(last, place, moment)
    order = np.argsort(last, kind="stable")[::-1]  # of groups that are as new the hash decides
    is_newer = np.zeros(len(distinct), dtype=bool)
    is_newer[order] = np.cumsum(count[order]) - count[order] < share * len(moment)
    return is_newer[place], ~is_newer[place]


def _newest(moment: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut where a share of the rows is newer: which rows are, and which are older. Of rows that span time, those across it are neither.

    Rows of one moment share a part. `moment` is (rows,), or (rows, 3) with the first and the last.
    """
    first, last = (moment, moment) if moment.ndim == 1 else (moment[:, 0], moment[:, 1])
    cut = np.quantile(first, 1 - share, method="higher")
    return np.asarray(first >= cut), np.asarray(last < cut)
