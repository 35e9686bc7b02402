"""Rates of levels: what the target is there on average, from other rows than the one that is encoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.data import prepare
from automl.data.arrays import KNOWN
from automl.data.rating import cross_rates, rated
from automl.data.schema import Schema
from automl.data.supervised import centred_target, cross_folds, supervised
from automl.encoding import Category
from automl.tasks import Column, Rows, Task

LEVELS, ROWS = 400, 4000


def shops(seed: int = 0, *, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells, what each row's level adds, and a target of unit noise; effects are the same for every seed."""
    chance = np.random.default_rng(seed)
    effects = effect * np.random.default_rng(99).normal(size=LEVELS)
    place = chance.integers(0, LEVELS, ROWS)
    cells = np.array([f"shop {one}" for one in place], dtype=object)
    return cells, effects[place], effects[place] + chance.normal(size=ROWS)


def fitted(cells: np.ndarray, target: np.ndarray) -> Category:
    return rated(Category("shop", ()), cells, centred_target(target, 0), cross_folds(ROWS, None))


def test_rates_of_new_rows_follow_the_levels() -> None:
    cells, _, target = shops()
    new, effects, _ = shops(1)
    assert np.corrcoef(fitted(cells, target).encode(new)[:, 1], effects)[0, 1] > 0.9


def test_a_training_rows_rate_knows_nothing_of_its_own_target() -> None:
    cells, effects, target = shops()
    rates = cross_rates(cells, centred_target(target, 0), cross_folds(ROWS, None))[:, 0]
    own = fitted(cells, target).encode(cells)[:, 1]
    noise = target - effects
    assert abs(np.corrcoef(rates, noise)[0, 1]) < 0.05 < np.corrcoef(own, noise)[0, 1]
    assert rates.std() == pytest.approx(1.0)


def test_levels_that_differ_by_chance_alone_have_no_rates() -> None:
    cells, _, target = shops(effect=0.0)
    assert fitted(cells, target).rated == ()


def test_few_levels_and_very_many_classes_have_no_rates() -> None:
    cells, effects, target = shops()
    few = np.array([cell[:6] for cell in cells], dtype=object)
    assert fitted(few, target).rated == ()
    classes = np.digitize(effects, np.linspace(-2, 2, 13))
    assert supervised(Category("shop", ()), cells, centred_target(classes, 14), cross_folds(ROWS, None)) == Category(
        "shop", ()
    )


@pytest.mark.parametrize(("classes", "outputs"), [(2, 1), (3, 3)])
def test_classes_have_a_rate_each_and_two_of_them_one(classes: int, outputs: int) -> None:
    cells, effects, _ = shops()
    target = np.digitize(effects, [0.0, 1.0][: classes - 1])
    encoder = rated(Category("shop", ("shop 1",)), cells, centred_target(target, classes), cross_folds(ROWS, None))
    assert encoder.cardinalities == (2, *[0] * outputs)
    assert encoder.encode(np.array(["shop 1", "never", None], dtype=object)).shape == (3, 1 + outputs)
    assert not encoder.encode(np.array(["never", None], dtype=object)).any()


def test_rows_of_a_group_are_rated_by_other_groups() -> None:
    group = np.arange(ROWS) % 50
    folds = cross_folds(ROWS, group.astype(str))
    assert len({(one, fold) for one, fold in zip(group.tolist(), folds.tolist(), strict=True)}) == 50


def test_rows_without_a_group_are_rated_alone_and_a_single_group_is_not_rated() -> None:
    cells, _, target = shops()
    group = np.where(np.arange(ROWS) < ROWS // 2, "", "one")
    folds = cross_folds(ROWS, group)
    assert np.bincount(folds[group == ""]).tolist() == [ROWS // 10] * 5
    assert len(set(folds[group == "one"].tolist())) == 1
    alone = cross_folds(ROWS, np.full(ROWS, "one"))
    assert rated(Category("shop", ()), cells, centred_target(target, 0), alone).rated == ()


def test_a_missing_cell_is_a_level() -> None:
    cells, _, target = shops()
    cells[::4], target[::4] = None, 5.0
    assert fitted(cells, target).rated[0] != ""
    assert fitted(cells, target).encode(np.array([None], dtype=object))[0, 1] == 0.0


def test_prepared_training_rows_have_rates_of_others_and_all_else_what_the_schema_says(tmp_path: Path) -> None:
    cells, _, target = shops()
    rows, columns = Rows({"shop": cells}, ("shop",), target), (Column("shop", "category"),)
    task = Task("shops", "", "regression", "table", "sold", (("rmse", "minimize"),), lambda: rows, "", columns=columns)
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    folder = tmp_path / prepared.ref.key
    known, border = np.load(folder / KNOWN / "inputs.npy"), int(np.load(folder / KNOWN / "border.npy"))
    told = np.load(folder / KNOWN / "target.npy")
    again = Schema.from_json((folder / "schema.json").read_bytes())
    assert again == prepared.schema
    trained, validated = ({rate for code, rate in rows_ if code == 1} for rows_ in (known[:border], known[border:]))
    assert (len(trained), len(validated)) == (5, 1)  # folds of the training rows; one rate for all new rows
    assert np.corrcoef(known[border:, 1], told[border:])[0, 1] > 0.4
