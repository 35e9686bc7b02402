"""Splits rows into train, validation and test, by what the rows hold: their order and file format change nothing.

**Test**: the SHA-256 of a row's features and target, read as a fraction between 0 and 1, is below 0.2. Neither a seed nor any other
row decides, so a row of today's test part is in the test part tomorrow too, when the data has grown: no search ever trains on it.
**Validation**: 20 % of the other rows, at most some 100,000, drawn by the search's seed, stratified by class (numbers: by quantile).

Rows of one group get one part, so that no part holds the answers of another. Groups are those that the task names; without any, a
row and its exact copies (see `groups_of`). Where the task names a time, the newest rows are the test part instead; where a person
gave a test part, exactly its rows are.
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
"""Rows of the validation part at most: more would compare models no better, and make each epoch longer."""
FOLDS = 5
_BY_CHANCE = 0.05
"""As `_share_that_differs`: above it copies of a row are taken as chance, as where three columns of words allow few different rows."""
_WORTH_TELLING = 0.01
"""Copies by chance are reported where they are at least this share of the rows."""
_STRATA = 10
_DIGEST = "S64"
_ROWS_AT_ONCE = 1 << 16


def digest_rows(rows: Rows, task: Task) -> np.ndarray:
    """Return (rows,) SHA-256 of each row's features and target, as 64 hexadecimal digits: what identifies a row.

    Hashed are numbers as float64 and texts by 8 bytes of their own SHA-256, so that 1 and 1.0 are one value; so are all missing cells.
    """
    digests = np.empty(len(rows), dtype=_DIGEST)
    for place, (content, target) in enumerate(zip(_contents(rows), _targets(rows.target, task), strict=True)):
        digests[place] = hashlib.sha256(content + target).hexdigest()
    return digests


def groups_of(rows: Rows, digests: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the group of each row, (rows,) as 64 hexadecimal digits, and a warning for people or "". A group is never split.

    `digests` are those of `digest_rows`. The task's own groups count first; a row that has none is one group with its exact copies,
    so that what was trained on is not tested on.

    One exception: without groups of the task, equal inputs often come with different targets where inputs take few values (three
    columns of words, one person seen every year). There each row is a group of its own. Kept together, all rows with inputs x and
    target 1 could fall into the test part and all with x and target 0 into training: what is learned there would be wrong here.
    The first of the copies keeps the digest, and so the part, that it would have alone.
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
    """(rows,) how many rows before it have the same digest: 0 for the first, 1 for its first copy, and so on."""
    order = np.argsort(digests, kind="stable")
    ranked, places = digests[order], np.arange(len(digests))
    begins = np.append(True, ranked[1:] != ranked[:-1])
    ranks = np.empty(len(digests), dtype=np.int64)
    ranks[order] = places - np.maximum.accumulate(np.where(begins, places, 0))
    return ranks


def _share_that_differs(rows: Rows, digests: np.ndarray) -> float:
    """Return, among the rows whose features another row has too, the share whose features come with more than one target."""
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
    """Return one hash of the whole data, 64 hexadecimal digits: another for any row added, removed or changed, the same for any order.

    Where a person gave a test part, `test` (rows,) says which rows it has: the same rows split otherwise have another hash.
    """
    if test is not None:
        parts = [content_hash(digests[~test]), content_hash(digests[test])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    found, ranked = hashlib.sha256(), np.sort(digests)
    for start in range(0, len(ranked), _ROWS_AT_ONCE):
        found.update(b"\n" * (start > 0) + b"\n".join(ranked[start : start + _ROWS_AT_ONCE].tolist()))
    return found.hexdigest()


def split_rows(digests: np.ndarray, groups: np.ndarray, rows: Rows, task: Task, seed: int) -> dict[str, np.ndarray]:
    """Return the row indices of `train`, `validation` and `test`, each in order of digest. Raises DataError where one is empty.

    `digests` and `groups` (rows,) are those of `digest_rows` and `groups_of`. The seed draws the validation part only. Where rows have
    a `moment`, time decides both: the newest rows are tested on, the newest of the rest validated on, and rows that span time (windows
    of a forecast) are dropped where they begin in one part and end in the next.
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
    """Return for cross-validation the fold of each training row, then of each validation row, as int8 numbers from 0 to 4.

    The validation part is fold 0. Training rows are dealt to folds 1 to 4 so that each holds about as much of every class (numbers: of
    every quantile); rows of one group get one fold.
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
    """Return (rows,) whether the hash of a row's group, read as a fraction between 0 and 1, is below `share`."""
    distinct, place = np.unique(groups, return_inverse=True)
    return np.asarray((_fractions(distinct) < share)[place])


def _drawn(groups: np.ndarray, target: np.ndarray, task: Task, seed: int, share: float) -> np.ndarray:
    """Return (rows,) whether a row is validated on: `share` of the groups is drawn, by the class of each one's first row."""
    distinct, first, place = np.unique(groups, return_index=True, return_inverse=True)
    chosen = np.zeros(len(distinct), dtype=bool)
    chosen[_draw_validation(_strata(target[first], task), np.random.default_rng(seed), share)] = True
    return np.asarray(chosen[place])


def _contents(rows: Rows) -> Iterator[bytes]:
    """Yield the features of each row as bytes, to be hashed."""
    return map(_row_bytes, rows.features) if isinstance(rows.features, np.ndarray) else _rows_of(rows.features)


def _row_bytes(row: np.ndarray) -> bytes:
    """One row at a time, since as float64 all rows of a picture would take eight times their memory."""
    return (np.ascontiguousarray(row, dtype="<f8") + 0.0).tobytes()  # -0.0 and 0.0 are one value


def _rows_of(cells: Cells) -> Iterator[bytes]:
    """Yield each row of a table as bytes. The columns are copied into one array first, which may lie on disk."""
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
    """Yield the target of each row as bytes: a label, a number, or the numbers of a forecast."""
    if task.kind == "regression":
        return (value.tobytes() for value in np.ascontiguousarray(target, dtype="<f8") + 0.0)
    return (str(label).encode() for label in target.tolist())


def _fractions(digests: np.ndarray) -> np.ndarray:
    """Digests (rows,) -> fractions (rows,) from 0 to 1. 13 hexadecimal digits are 52 bits, which a float64 holds exactly."""
    return np.array([int(digest[:13], 16) for digest in digests.tolist()]) / 16.0**13


def _strata(target: np.ndarray, task: Task) -> np.ndarray:
    """(rows,) the class of each row as a number; of a numeric target its decile."""
    if task.kind == "classification":
        return np.unique([str(label) for label in target.tolist()], return_inverse=True)[1]
    edges = np.quantile(target, np.linspace(0, 1, _STRATA + 1)[1:-1])
    return np.searchsorted(edges, target)


def _draw_validation(strata: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Return the places drawn, `share` of each stratum: at least one of two or more, none of one, so that training has every class."""
    chosen = []
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        wanted = max(round(share * len(members)), 1) if len(members) > 1 else 0
        chosen.append(members[:wanted])
    return np.concatenate(chosen)
