"""Warnings about a test part that a person gave: whether it is as independent of the training rows as a test should be."""

from __future__ import annotations

import numpy as np

from automl.data.split import digest_rows
from automl.encoding import words
from automl.sources.table import listed
from automl.tasks import Rows, Task

_OFTEN = 0.2
"""Share of a column's test cells whose words no training row has, above which a warning names the column."""


def about_given(train: Rows, test: Rows, task: Task) -> tuple[str, ...]:
    """Return a sentence for each problem found, none where there is no problem.

    Problems are test rows that equal training rows, share a group with them or are older than they, and categories whose words
    training rows do not have.
    """
    return (
        *_equal(train, test, task),
        *_shared_groups(train, test, task),
        *_older(train, test),
        *_other_words(train, test, task),
    )


def _equal(train: Rows, test: Rows, task: Task) -> tuple[str, ...]:
    equal = int(np.isin(digest_rows(test, task), digest_rows(train, task)).sum())
    if not equal:
        return ()
    return (
        f"{equal} of {len(test)} test rows equal training rows, target included: the test flatters what learns by heart.",
    )


def _shared_groups(train: Rows, test: Rows, task: Task) -> tuple[str, ...]:
    if train.group is None or test.group is None or task.input_kind == "image":  # a picture's group is its own file
        return ()
    both = sorted((set(train.group.tolist()) & set(test.group.tolist())) - {""})
    rows = int(np.isin(test.group, both).sum())
    return (f"{len(both)} groups are in training and test, with {rows} test rows: {listed(both)}.",) if both else ()


def _older(train: Rows, test: Rows) -> tuple[str, ...]:
    if train.moment is None or test.moment is None:
        return ()
    begins, ends = (test.moment, train.moment) if test.moment.ndim == 1 else (test.moment[:, 0], train.moment[:, 1])
    older = int((begins < ends.max()).sum())
    return (f"{older} of {len(test)} test rows are older than the newest training row.",) if older else ()


def _other_words(train: Rows, test: Rows, task: Task) -> tuple[str, ...]:
    if isinstance(train.features, np.ndarray) or isinstance(test.features, np.ndarray):
        return ()
    found = []
    for name in [column.name for column in task.columns if column.kind == "category"]:
        known = set(words(train.features[name]))
        given = [word for word in words(test.features[name]) if word is not None]
        share = sum(word not in known for word in given) / max(1, len(given))
        if share > _OFTEN:
            found.append(f"{name} ({share:.0%})")
    return (f"Words in test rows that no training row has: {listed(found)}.",) if found else ()
