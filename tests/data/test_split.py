"""Membership in the test part is a property of a row; validation is a property of the rows and the seed."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from automl.data.split import content_hash, digest_rows, groups_of, split_rows
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
    digests = digest_rows(rows, _task(kind))
    return set(digests[_split(rows, seed, kind)[part]].tolist())


def _split(rows: Rows, seed: int = 0, kind: str = "classification") -> dict[str, np.ndarray]:
    digests = digest_rows(rows, _task(kind))
    return split_rows(digests, groups_of(rows, digests)[0], rows, _task(kind), seed)


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
    parts = _split(rows)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(400))


def test_about_a_fifth_is_test_and_a_fifth_of_the_rest_validation():
    rows = _rows(5000)
    parts = _split(rows)
    assert len(parts["test"]) / 5000 == pytest.approx(0.2, abs=0.02)
    assert len(parts["validation"]) / 5000 == pytest.approx(0.16, abs=0.01)


def test_validation_holds_a_fifth_of_each_class():
    rows = _rows(2000)
    parts = _split(rows)
    for label in ("ant", "bee", "cat"):
        inside = {part: np.count_nonzero(rows.target[parts[part]] == label) for part in ("train", "validation")}
        assert inside["validation"] / sum(inside.values()) == pytest.approx(0.2, abs=0.01)


def test_equal_rows_are_never_on_two_sides():
    rows = _take(_rows(100), np.repeat(np.arange(100), 3))
    members = [_members(rows, part) for part in ("train", "validation", "test")]
    assert sum(map(len, members)) == 100


def test_a_row_without_a_group_is_a_group_of_its_own():
    named = np.where(np.arange(400) % 2 == 0, np.arange(400) // 40, "").astype(str)
    rows = dataclasses.replace(_rows(), group=named)
    groups, _ = groups_of(rows, digest_rows(rows, _task()))
    assert len(set(groups.tolist())) == 10 + 200
    parts = _split(rows)
    alone = {part: int((named[indices] == "").sum()) for part, indices in parts.items()}
    assert alone["test"] == pytest.approx(40, abs=15)
    assert alone["validation"] == pytest.approx(32, abs=12)


def _repeating(count: int = 3000, seed: int = 0) -> Rows:
    """Three columns of few values, as in a table of passengers by class, sex and age: 12 different inputs, 24 different rows."""
    rng = np.random.default_rng(seed)
    features = np.stack([rng.integers(0, n, count) for n in (3, 2, 2)], axis=1).astype(np.float64)
    chance = 0.2 + 0.2 * features[:, 0] + 0.2 * features[:, 1]
    return Rows(features, ("class", "sex", "age"), np.where(rng.random(count) < chance, "lived", "died"))


def test_with_groups_and_times_whole_groups_go_to_the_newest_part():
    group = np.array([f"g{place % 40}" for place in range(400)])
    moment = np.array([place % 40 * 10.0 + place // 40 * (5 if place % 2 else 30) for place in range(400)])
    rows = Rows(np.random.default_rng(0).normal(size=(400, 3)), ("a", "b", "c"), moment, group, moment)
    parts = _split(rows, kind="regression")
    groups = {part: set(group[places]) for part, places in parts.items()}
    assert not groups["test"] & (groups["train"] | groups["validation"])
    assert not groups["train"] & groups["validation"]
    newest = {part: [moment[group == one].max() for one in sorted(found)] for part, found in groups.items()}
    assert max(newest["train"]) <= min(newest["validation"])
    assert max(newest["validation"]) <= min(newest["test"])
    assert (len(parts["test"]), sum(map(len, parts.values()))) == (80, 400)


def test_groups_that_all_reach_to_the_newest_moment_are_divided_all_the_same():
    group = np.array([f"g{place % 40}" for place in range(400)])
    moment = np.arange(400) // 40 * 1.0
    rows = Rows(np.random.default_rng(0).normal(size=(400, 3)), ("a", "b", "c"), moment, group, moment)
    parts = _split(rows, kind="regression")
    assert len(parts["test"]) == 80


def test_where_few_inputs_repeat_each_part_has_all_of_them_with_all_their_targets():
    rows = _repeating()
    shares = []
    for part in _split(rows).values():
        held = _take(rows, part)
        shares.append(
            [(held.target[(held.array() == inputs).all(axis=1)] == "lived").mean() for inputs in [[0, 0, 0], [2, 1, 1]]]
        )
    assert np.array(shares)[:, 0] == pytest.approx(0.2, abs=0.12)
    assert np.array(shares)[:, 1] == pytest.approx(0.8, abs=0.12)


def test_copies_that_come_by_chance_keep_their_part_when_the_order_changes_or_rows_are_added():
    rows, more = _repeating(), _repeating(500, seed=1)
    grown = Rows(np.vstack([rows.features, more.features]), rows.columns, np.append(rows.target, more.target))
    shuffled = _take(rows, np.random.default_rng(0).permutation(3000))

    def tested(held: Rows) -> Counter[str]:
        return Counter(digest_rows(held, _task())[_split(held)["test"]].tolist())

    assert tested(shuffled) == tested(rows)
    assert tested(rows) <= tested(grown)
    assert (tested(grown) - tested(rows)).total() == pytest.approx(100, abs=40)


def test_copies_are_told_of_and_taken_for_chance_only_where_targets_differ():
    once = _rows(100)
    twice = _take(once, np.append(np.arange(100), np.arange(30)))
    assert groups_of(once, digest_rows(once, _task()))[1] == ""
    _, told = groups_of(twice, digest_rows(twice, _task()))
    assert told == "30 of 130 rows are copies of others, target included: copies are kept in one part."
    groups, told = groups_of(_repeating(), digest_rows(_repeating(), _task()))
    assert "2,976 of 3,000 rows" in told
    assert "--group COL" in told
    assert len(set(groups.tolist())) == 3000


def test_a_few_copies_by_chance_are_not_worth_a_warning():
    rows = _rows(1000)
    few, targets = np.append(np.arange(1000), [0, 1]), np.append(rows.target, rows.target[:2])
    targets[-1] = next(one for one in rows.target if one != targets[-1])  # equal inputs, another target
    held = Rows(rows.array()[few], rows.columns, targets)
    assert groups_of(held, digest_rows(held, _task()))[1] == ""


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
        _split(rows)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_of_very_many_rows_no_more_are_validated_on_than_it_takes(kind, monkeypatch):
    monkeypatch.setattr("automl.data.split.MOST_VALIDATED", 30)
    rows = _rows(kind=kind)
    parts = _split(rows, kind=kind)
    assert 25 <= len(parts["validation"]) <= 35
    assert sum(map(len, parts.values())) == 400
