"""Which part a row belongs to. Decided by content, so that order, file format and tomorrow's new rows change nothing.

A row is of the **test** part iff the hash of its own content (features and target, nothing else), read as a fraction, is below
0.2: no seed, no order and no other row has a say, so a search on grown data never trains on today's test rows.
**Validation** takes 20 % of the rest, at most some 100,000 rows, stratified by class (by quantile for numbers), drawn by the
search's seed from the distinct rows in order of their hash. Copies of a row share its part, unless they come by chance, see
`groups_of`. Where the task names groups, a group takes the place of a row; where it names a time, the newest rows are the test part
(of groups those whose newest row is the newest).
Where a person gave a test part, its rows are that part and no other row is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain

import numpy as np

from automl.data.newest import newer
from automl.errors import DataError
from automl.sources.scratch import empty_array
from automl.tasks import Cells, Rows, Task

TEST_SHARE = 0.2
VALIDATION_SHARE = 0.2
MOST_VALIDATED = 100_000
"""Rows: more would tell models apart no better, and each epoch waits for them."""
FOLDS = 5
_BY_CHANCE = 0.05
"""Share of the rows with another's inputs that have another target too, above which inputs repeat by themselves."""
_WORTH_TELLING = 0.01
"""Share of the rows that are copies by chance, below which nobody needs to know."""
_STRATA = 10
_DIGEST = "S64"
_ROWS_AT_ONCE = 1 << 16


def digest_rows(rows: Rows, task: Task) -> np.ndarray:
    """Return (rows,) SHA-256 of each row's features and target, as 64 hexadecimal digits.

    A number counts by its float64, a text by its own SHA-256; missing ones are all alike.
    """
    digests = np.empty(len(rows), dtype=_DIGEST)
    for place, (content, target) in enumerate(zip(_contents(rows), _targets(rows.target, task), strict=True)):
        digests[place] = hashlib.sha256(content + target).hexdigest()
    return digests


def groups_of(rows: Rows, digests: np.ndarray) -> tuple[np.ndarray, str]:
    """Return (rows,) what shares a part, as 64 hexadecimal digits, and what is to be said of it, if anything.

    Groups are those of the task; else, and of rows without a group, a row and its copies. But where the task has no groups and many
    rows with equal inputs differ in their target, inputs repeat because there are few of them (three columns of words, the same person
    every year), and copies come by chance. Then each row is a group of its own. As one group, a row with its copies would leave to the
    other parts only rows that have other targets for the same inputs: whatever is learned there would be wrong here. The first copy
    stays where a row without copies would be.
    """
    if rows.group is not None:
        groups = np.array([_hashed(str(one).encode()) for one in rows.group.tolist()], dtype=_DIGEST)
        return np.where(rows.group == "", digests, groups), ""
    copy = _ranks_among_equals(digests)
    copies = np.flatnonzero(copy)
    if not len(copies):
        return digests, ""
    count = f"{len(copies):,} of {len(digests):,} rows are copies of others, target included"
    if _share_that_differs(rows, digests) <= _BY_CHANCE:
        return digests, f"{count}: copies are kept in one part."
    groups = digests.copy()
    groups[copies] = [_hashed(digests[place] + b" %d" % copy[place]) for place in copies]
    if len(copies) < _WORTH_TELLING * len(digests):
        return groups, ""
    return groups, (
        f"{count}, but rows with equal inputs differ in their target, so inputs repeat by themselves and each row is drawn alone. "
        f"If such rows are one person or machine seen again, name the column that tells them apart: --group COL."
    )


def _ranks_among_equals(digests: np.ndarray) -> np.ndarray:
    """(rows,) 0 for the first of equal rows, 1 for the second, and so on."""
    order = np.argsort(digests, kind="stable")
    ranked, places = digests[order], np.arange(len(digests))
    begins = np.append(True, ranked[1:] != ranked[:-1])
    ranks = np.empty(len(digests), dtype=np.int64)
    ranks[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return ranks


def _share_that_differs(rows: Rows, digests: np.ndarray) -> float:
    """Of the rows that have their inputs in common with others, the share among whose inputs there is more than one target."""
    inputs = np.array(
        [int.from_bytes(hashlib.sha256(content).digest()[:8], "big") for content in _contents(rows)], "u8"
    )
    _, place, count = np.unique(inputs, return_inverse=True, return_counts=True)
    _, first = np.unique(digests, return_index=True)
    different = np.bincount(place[first], minlength=len(count))
    return float(count[(count > 1) & (different > 1)].sum() / count[count > 1].sum())


def _hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


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


def split_rows(digests: np.ndarray, groups: np.ndarray, rows: Rows, task: Task, seed: int) -> dict[str, np.ndarray]:
    """Return row indices for `train`, `validation` and `test`, each in order of content. Raises DataError if one is empty.

    Rows of one group share a part. Where rows have a moment, the newest are the test part and the newest of the rest the validation
    part, whatever the seed; of rows that span time, those across a border are dropped.
    """
    if rows.test is None and rows.moment is not None:
        test, rest = newer(rows.moment, rows, groups, TEST_SHARE)
    else:
        test = _below(groups, TEST_SHARE) if rows.test is None else rows.test
        rest = ~test
    train, validation = rest.copy(), np.zeros(len(test), dtype=bool)
    places = np.flatnonzero(rest)
    share = min(VALIDATION_SHARE, MOST_VALIDATED / max(1, len(places)))
    if len(places) and rows.moment is not None:
        validation[places], train[places] = newer(rows.moment[places], rows, groups[places], share)
    elif len(places):
        validation[places] = _drawn(groups[places], rows.target[places], task, seed, share)
        train &= ~validation
    member = {"train": train, "validation": validation, "test": test}
    order = np.argsort(digests, kind="stable")
    parts = {part: order[chosen[order]] for part, chosen in member.items()}
    for part, indices in parts.items():
        if len(indices) == 0:
            what = "distinct" if rows.group is None else "groups"
            kinds = len(np.unique(groups))
            raise DataError(
                f"{task.name}: {len(digests)} rows ({kinds} {what}) leave none for the {part} part. Add rows."
            )
    return parts


def fold_rows(
    parts: dict[str, np.ndarray], groups: np.ndarray, target: np.ndarray, task: Task, seed: int
) -> np.ndarray:
    """Return the fold of each training row, then of each validation row: these are fold 0, the others are dealt out by class.

    Rows of one group share a fold.
    """
    train = parts["train"]
    distinct, first, place = np.unique(groups[train], return_index=True, return_inverse=True)
    strata, rng = _strata(target[train][first], task), np.random.default_rng(seed)
    order = rng.permutation(len(distinct))
    order = order[np.argsort(strata[order], kind="stable")]  # equal classes side by side, so that dealing spreads each
    fold = np.empty(len(distinct), dtype=np.int8)
    fold[order] = 1 + np.arange(len(distinct)) % (FOLDS - 1)
    return np.concatenate([fold[place], np.zeros(len(parts["validation"]), dtype=np.int8)])


def _below(groups: np.ndarray, share: float) -> np.ndarray:
    """Which rows' hashes, read as fractions, are below it."""
    distinct, place = np.unique(groups, return_inverse=True)
    return np.asarray((_fractions(distinct) < share)[place])


def _drawn(groups: np.ndarray, target: np.ndarray, task: Task, seed: int, share: float) -> np.ndarray:
    """Which rows are validated on: drawn from the distinct groups, in order of their hash, by class."""
    distinct, first, place = np.unique(groups, return_index=True, return_inverse=True)
    chosen = np.zeros(len(distinct), dtype=bool)
    chosen[_draw_validation(_strata(target[first], task), np.random.default_rng(seed), share)] = True
    return np.asarray(chosen[place])


def _contents(rows: Rows) -> Iterator[bytes]:
    """The features of each row as bytes."""
    return map(_row_bytes, rows.features) if isinstance(rows.features, np.ndarray) else _rows_of(rows.features)


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
