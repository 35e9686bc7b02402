"""Which part a row belongs to. Decided by content, so that order, file format and tomorrow's new rows change nothing.

A row is of the **test** part iff the hash of its own content (features and target, nothing else), read as a fraction, is below
0.2: no seed, no order and no other row has a say, so a search on grown data never trains on today's test rows.
**Validation** takes 20 % of the rest, at most some 100,000 rows, stratified by class (by quantile for numbers), drawn by the
search's seed from the distinct rows in order of their hash. Equal rows always share a part, so no part holds copies of another's
rows. Where the task names groups, a group takes the place of a row; where it names a time, the newest rows are the test part. Where
a person gave a test part, its rows are that part and no other row is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain

import numpy as np

from automl.errors import DataError
from automl.sources.scratch import empty_array
from automl.tasks import Cells, Rows, Task

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2
MOST_VALIDATED = 100_000
"""Rows: more would tell models apart no better, and each epoch waits for them."""
FOLDS = 5
_STRATA = 10
_DIGEST = "S64"
_ROWS_AT_ONCE = 1 << 16


def digest_rows(rows: Rows, task: Task) -> np.ndarray:
    """Return (rows,) SHA-256 of each row's features and target, as 64 hexadecimal digits.

    A number counts by its float64, a text by its own SHA-256; missing ones are all alike.
    """
    digests = np.empty(len(rows), dtype=_DIGEST)
    contents = map(_row_bytes, rows.features) if isinstance(rows.features, np.ndarray) else _rows_of(rows.features)
    for place, (content, target) in enumerate(zip(contents, _targets(rows.target, task), strict=True)):
        digests[place] = hashlib.sha256(content + target).hexdigest()
    return digests


def digest_groups(group: np.ndarray) -> np.ndarray:
    """Return (rows,) SHA-256 of each row's group, as 64 hexadecimal digits."""
    return np.array([hashlib.sha256(str(one).encode()).hexdigest() for one in group.tolist()], dtype=_DIGEST)


def content_hash(digests: np.ndarray, test: np.ndarray | None = None) -> str:
    """Return one hash over all rows, whatever their order: it changes when a row is added, removed or changed.

    Where a test part was given, `test` says which rows it has, and the hash tells them from the others.
    """
    if test is not None:
        parts = [content_hash(digests[~test]), content_hash(digests[test])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    found, ranked = hashlib.sha256(), np.sort(digests)
    for start in range(0, len(ranked), _ROWS_AT_ONCE):
        found.update(b"\n" * (start > 0) + b"\n".join(ranked[start : start + _ROWS_AT_ONCE].tolist()))
    return found.hexdigest()


def split_rows(
    digests: np.ndarray, rows: Rows, task: Task, seed: int, units: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return row indices for `train`, `validation` and `test`, each in order of content. Raises DataError if one is empty.

    Rows of one unit (equal rows, or what `units` says: a group) share a part. Where rows have a moment, the newest are the test
    part and the newest of the rest the validation part, whatever the seed; of rows that span time, those across a border are dropped.
    """
    units = digests if units is None else units
    if rows.test is None and rows.moment is not None:
        test, known = _newest(rows.moment, TEST_SHARE)
    else:
        test = _below(units, TEST_SHARE) if rows.test is None else rows.test
        known = ~test
    train, validation = known.copy(), np.zeros(len(test), dtype=bool)
    places = np.flatnonzero(known)
    share = min(VALIDATION_SHARE, MOST_VALIDATED / max(1, len(places)))
    if len(places) and rows.moment is not None:
        validation[places], train[places] = _newest(rows.moment[places], share)
    elif len(places):
        validation[places] = _drawn(units[places], rows.target[places], task, seed, share)
        train &= ~validation
    member = {"train": train, "validation": validation, "test": test}
    order = np.argsort(digests, kind="stable")
    parts = {part: order[chosen[order]] for part, chosen in member.items()}
    for part, indices in parts.items():
        if len(indices) == 0:
            what = "distinct" if units is digests else "groups"
            kinds = len(np.unique(units))
            raise DataError(
                f"{task.name}: {len(digests)} rows ({kinds} {what}) leave none for the {part} part. Add rows."
            )
    return parts


def fold_rows(parts: dict[str, np.ndarray], units: np.ndarray, target: np.ndarray, task: Task, seed: int) -> np.ndarray:
    """Return the fold of each training row, then of each validation row: these are fold 0, the others are dealt out by class.

    Rows of one unit share a fold.
    """
    train = parts["train"]
    distinct, first, place = np.unique(units[train], return_index=True, return_inverse=True)
    strata, rng = _strata(target[train][first], task), np.random.default_rng(seed)
    order = rng.permutation(len(distinct))
    order = order[np.argsort(strata[order], kind="stable")]  # equal classes side by side, so that dealing spreads each
    fold = np.empty(len(distinct), dtype=np.int8)
    fold[order] = 1 + np.arange(len(distinct)) % (FOLDS - 1)
    return np.concatenate([fold[place], np.zeros(len(parts["validation"]), dtype=np.int8)])


def _below(units: np.ndarray, share: float) -> np.ndarray:
    """Which rows' hashes, read as fractions, are below it."""
    distinct, place = np.unique(units, return_inverse=True)
    return np.asarray((_fractions(distinct) < share)[place])


def _newest(moment: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut where a share of the rows is newer: which rows are, and which are older. Of rows that span time, those across it are neither.

    Rows of one moment share a part. `moment` is (rows,), or (rows, 3) with the first and the last.
    """
    first, last = (moment, moment) if moment.ndim == 1 else (moment[:, 0], moment[:, 1])
    cut = np.quantile(first, 1 - share, method="higher")
    return np.asarray(first >= cut), np.asarray(last < cut)


def _drawn(units: np.ndarray, target: np.ndarray, task: Task, seed: int, share: float) -> np.ndarray:
    """Which rows are validated on: drawn from the distinct units, in order of their hash, by class."""
    distinct, first, place = np.unique(units, return_index=True, return_inverse=True)
    chosen = np.zeros(len(distinct), dtype=bool)
    chosen[_draw_validation(_strata(target[first], task), np.random.default_rng(seed), share)] = True
    return np.asarray(chosen[place])


def _row_bytes(row: np.ndarray) -> bytes:
    """A row at a time: all at once would take eight times the memory of pictures that are held as bytes."""
    return (np.ascontiguousarray(row, dtype="<f8") + 0.0).tobytes()  # -0.0 and 0.0 are one value


def _rows_of(cells: Cells) -> Iterator[bytes]:
    """Each row of a table as bytes. Columns are turned into rows by way of an array that may lie on disk."""
    columns = iter(cells.values())
    first = _eight_bytes(next(columns))
    held = empty_array((len(cells), len(first)), "<f8")
    for place, column in enumerate(chain([first], map(_eight_bytes, columns))):
        held[place] = column
    for start in range(0, held.shape[1], _ROWS_AT_ONCE):
        yield from map(bytes, np.ascontiguousarray(held[:, start : start + _ROWS_AT_ONCE].T))


def _eight_bytes(cells: np.ndarray) -> np.ndarray:
    if cells.dtype != object:
        return np.where(np.isnan(cells), np.nan, cells + 0.0).astype("<f8")
    known = {
        word: hashlib.sha256(str(word).encode()).digest()[:8]
        for word in dict.fromkeys(cells.tolist())
        if word is not None
    }
    return np.frombuffer(b"".join(known.get(word, b"\0" * 8) for word in cells.tolist()), dtype="<f8")


def _targets(target: np.ndarray, task: Task) -> Iterator[bytes]:
    """Of each row as bytes: a label, a number, or the numbers of a forecast."""
    if task.kind == "regression":
        return (value.tobytes() for value in np.ascontiguousarray(target, dtype="<f8") + 0.0)
    return (str(label).encode() for label in target.tolist())


def _fractions(digests: np.ndarray) -> np.ndarray:
    # The first 13 hexadecimal digits are 52 bits: exact in a float64.
    return np.array([int(digest[:13], 16) for digest in digests.tolist()]) / 16.0**13


def _strata(target: np.ndarray, task: Task) -> np.ndarray:
    if task.kind == "classification":
        return np.unique([str(label) for label in target.tolist()], return_inverse=True)[1]
    edges = np.quantile(target, np.linspace(0, 1, _STRATA + 1)[1:-1])
    return np.searchsorted(edges, target)


def _draw_validation(strata: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Return which of the rows to validate on: a class keeps one row for training, and from two rows on gives one."""
    chosen = []
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        wanted = max(round(share * len(members)), 1) if len(members) > 1 else 0
        chosen.append(members[:wanted])
    return np.concatenate(chosen)
