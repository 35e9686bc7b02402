"""Membership in the test part is a property of a row; validation is a property of the rows and the seed."""

import numpy as np
import pytest

from automl.data.split import content_hash, digest_rows, split_rows
from automl.errors import DataError
from automl.tasks import Rows, Task


def _task(kind: str = "classification") -> Task:
    return Task(
        name="toy",
        title="A toy",
        kind=kind,
        input_kind="table",
        shape=(3,),
        target="y",
        objectives=(("accuracy", "maximize"),),
        read=lambda: _rows(),
        source="random",
    )


def _rows(count: int = 400, seed: int = 0, kind: str = "classification") -> Rows:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count, 3))
    target = rng.choice(["ant", "bee", "cat"], count) if kind == "classification" else rng.normal(size=count)
    return Rows(features, ("a", "b", "c"), target)


def _take(rows: Rows, order: np.ndarray) -> Rows:
    return Rows(rows.array()[order], rows.columns, rows.target[order])


def _members(rows: Rows, part: str, seed: int = 0, kind: str = "classification") -> set[str]:
    task = _task(kind)
    digests = digest_rows(rows, task)
    return set(digests[split_rows(digests, rows, task, seed)[part]].tolist())


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("shuffle", range(5))
def test_every_part_keeps_its_rows_when_the_rows_are_shuffled(kind, shuffle):
    rows = _rows(kind=kind)
    shuffled = _take(rows, np.random.default_rng(shuffle).permutation(400))
    for part in ("train", "validation", "test"):
        assert _members(shuffled, part, kind=kind) == _members(rows, part, kind=kind)


@pytest.mark.parametrize("seed", [1, 2, 3, 99])
def test_another_seed_moves_validation_but_not_test(seed):
    rows = _rows()
    assert _members(rows, "test", seed) == _members(rows, "test")
    assert _members(rows, "validation", seed) != _members(rows, "validation")


@pytest.mark.parametrize("more", [1, 50, 400])
def test_appended_rows_leave_old_rows_where_they_were(more):
    old, new = _rows(), _rows(more, seed=7)
    grown = Rows(np.vstack([old.features, new.features]), old.columns, np.concatenate([old.target, new.target]))
    assert _members(grown, "test") >= _members(old, "test")
    assert not _members(grown, "test") & (_members(old, "train") | _members(old, "validation"))


def test_a_rows_number_type_and_sign_of_zero_do_not_matter():
    whole = Rows(np.arange(300).reshape(100, 3), ("a", "b", "c"), np.arange(100) % 2)
    wide = Rows(whole.features.astype("float32") * 1.0, whole.columns, whole.target.astype("int32"))
    wide.features[0, 0] = -0.0
    assert (digest_rows(whole, _task()) == digest_rows(wide, _task())).all()


def test_parts_are_disjoint_and_cover_all_rows():
    rows = _rows()
    parts = split_rows(digest_rows(rows, _task()), rows, _task(), 0)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(400))


def test_about_a_fifth_is_test_and_a_fifth_of_the_rest_validation():
    rows = _rows(5000)
    parts = split_rows(digest_rows(rows, _task()), rows, _task(), 0)
    assert len(parts["test"]) / 5000 == pytest.approx(0.2, abs=0.02)
    assert len(parts["validation"]) / 5000 == pytest.approx(0.16, abs=0.01)


def test_validation_holds_a_fifth_of_each_class():
    rows = _rows(2000)
    parts = split_rows(digest_rows(rows, _task()), rows, _task(), 0)
    for label in ("ant", "bee", "cat"):
        inside = {part: np.count_nonzero(rows.target[parts[part]] == label) for part in ("train", "validation")}
        assert inside["validation"] / sum(inside.values()) == pytest.approx(0.2, abs=0.01)


def test_equal_rows_are_never_on_two_sides():
    rows = _take(_rows(100), np.repeat(np.arange(100), 3))
    members = [_members(rows, part) for part in ("train", "validation", "test")]
    assert sum(map(len, members)) == 100


def test_the_content_hash_ignores_order_but_sees_a_changed_and_an_appended_row():
    rows, task = _rows(), _task()
    changed = Rows(rows.array().copy(), rows.columns, rows.target)
    changed.features[17, 1] += 1e-12
    digests = digest_rows(rows, task)
    assert content_hash(digests[::-1]) == content_hash(digests)
    assert content_hash(digest_rows(changed, task)) != content_hash(digests)
    assert content_hash(np.append(digests, digests[0])) != content_hash(digests)


def test_a_part_without_rows_is_an_error():
    rows = _take(_rows(1), np.zeros(30, dtype=int))
    with pytest.raises(DataError, match=r"30 rows \(1 distinct\) leave none"):
        split_rows(digest_rows(rows, _task()), rows, _task(), 0)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_of_very_many_rows_no_more_are_validated_on_than_it_takes(kind, monkeypatch):
    monkeypatch.setattr("automl.data.split.MOST_VALIDATED", 30)
    rows = _rows(kind=kind)
    parts = split_rows(digest_rows(rows, _task(kind)), rows, _task(kind), 0)
    assert 25 <= len(parts["validation"]) <= 35
    assert sum(map(len, parts.values())) == 400
