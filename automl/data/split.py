"""Which part a row belongs to. Decided by content, so that order, file format and tomorrow's new rows change nothing.

A row is of the **test** part iff the hash of its own content (features and target, nothing else), read as a fraction, is below
0.2: no seed, no order and no other row has a say, so a search on grown data never trains on today's test rows.
**Validation** takes 20 % of the rest, stratified by class (by quantile for numbers), drawn by the search's seed from the
distinct rows in order of their hash. Equal rows always share a part, so no part holds copies of another's rows.
"""

from __future__ import annotations

import hashlib

import numpy as np

from automl.errors import DataError
from automl.tasks import Rows, Task

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2
_STRATA = 10
_HEX_DIGITS = 64


def digest_rows(rows: Rows, task: Task) -> np.ndarray:
    """Return (rows,) SHA-256 of each row's features (float64) and target, as hexadecimal text."""
    features = np.ascontiguousarray(rows.features, dtype="<f8") + 0.0  # -0.0 and 0.0 are one value
    targets = _target_bytes(rows.target, task)
    digests = [
        hashlib.sha256(row.tobytes() + target).hexdigest() for row, target in zip(features, targets, strict=True)
    ]
    return np.array(digests, dtype=f"<U{_HEX_DIGITS}")


def content_hash(digests: np.ndarray) -> str:
    """Return one hash over all rows, whatever their order: it changes when a row is added, removed or changed."""
    return hashlib.sha256("\n".join(np.sort(digests).tolist()).encode()).hexdigest()


def split_rows(digests: np.ndarray, target: np.ndarray, task: Task, seed: int) -> dict[str, np.ndarray]:
    """Return row indices for `train`, `validation` and `test`, each in order of content. Raises DataError if one is empty."""
    distinct, first, place = np.unique(digests, return_index=True, return_inverse=True)
    test = _fractions(distinct) < TEST_SHARE
    rest = np.flatnonzero(~test)
    validation = np.zeros(len(distinct), dtype=bool)
    validation[rest[_draw_validation(_strata(target[first[rest]], task), np.random.default_rng(seed))]] = True
    order = np.argsort(digests, kind="stable")
    member = {"train": ~test & ~validation, "validation": validation, "test": test}
    parts = {part: order[chosen[place][order]] for part, chosen in member.items()}
    for part, indices in parts.items():
        if len(indices) == 0:
            raise DataError(
                f"{task.name}: {len(digests)} rows ({len(distinct)} distinct) leave none for the {part} part. Add rows."
            )
    return parts


def _target_bytes(target: np.ndarray, task: Task) -> list[bytes]:
    if task.kind == "regression":
        return [value.tobytes() for value in np.ascontiguousarray(target, dtype="<f8") + 0.0]
    return [str(label).encode() for label in target.tolist()]


def _fractions(digests: np.ndarray) -> np.ndarray:
    # The first 13 hexadecimal digits are 52 bits: exact in a float64.
    return np.array([int(digest[:13], 16) for digest in digests.tolist()]) / 16.0**13


def _strata(target: np.ndarray, task: Task) -> np.ndarray:
    if task.kind == "classification":
        return np.unique([str(label) for label in target.tolist()], return_inverse=True)[1]
    edges = np.quantile(target, np.linspace(0, 1, _STRATA + 1)[1:-1])
    return np.searchsorted(edges, target)


def _draw_validation(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which of the rows to validate on: a class keeps one row for training, and from two rows on gives one."""
    chosen = []
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        wanted = max(round(VALIDATION_SHARE * len(members)), 1) if len(members) > 1 else 0
        chosen.append(members[:wanted])
    return np.concatenate(chosen)
