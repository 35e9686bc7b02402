"""Splits rows by time instead of by chance: the newer ones become one part, the older ones the other."""

from __future__ import annotations

import numpy as np

from automl.tasks import Rows


def newer(moment: np.ndarray, rows: Rows, groups: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks (rows,): the newest rows, about `share` of all, and the older ones.

    `moment` is as in `Rows.moment`. Where the rows have groups (rows,) and one moment each, a group is never split: those whose
    latest row is the latest come first, until they hold `share` of the rows.
    """
    if rows.group is None or moment.ndim > 1:
        return _newest(moment, share)
    distinct, place, count = np.unique(groups, return_inverse=True, return_counts=True)
    last = np.full(len(distinct), -np.inf)
    np.maximum.at(last, place, moment)
    order = np.argsort(last, kind="stable")[::-1]  # of equally new groups the one whose hash sorts last comes first
    is_newer = np.zeros(len(distinct), dtype=bool)
    is_newer[order] = np.cumsum(count[order]) - count[order] < share * len(moment)
    return is_newer[place], ~is_newer[place]


def _newest(moment: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks (rows,): rows that begin at or after the time that `share` of the rows begin after, and those that end before it.

    `moment` is (rows,), or (rows, 3) where a row spans time: its beginning, its end, the number of its series. A row across the border
    is in neither mask: it would share steps with both.
    """
    first, last = (moment, moment) if moment.ndim == 1 else (moment[:, 0], moment[:, 1])
    cut = np.quantile(first, 1 - share, method="higher")
    return np.asarray(first >= cut), np.asarray(last < cut)
