"""What encoders learn from the target, where a fold is validated on: nothing from that fold's own targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from automl.data import KNOWN, load_fold, load_folds, load_part, prepare
from automl.data.fitting import fit_column
from automl.data.supervised import blind_to_fold, centred_target, cross_folds, supervised
from automl.encoding import Category, Encoder, Text
from automl.tasks import Choices, Column, load_task
from automl.worker.feeds import hold_fold

ROWS = 1200


def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells of 150 levels, each also a text of three words; a target that follows them; folds."""
    rng = np.random.default_rng(0)
    level = rng.integers(0, 150, ROWS)
    cells = np.array([f"w{one} v{one % 7} u{one % 11}" for one in level], dtype=object)
    target = rng.normal(size=150)[level] + rng.normal(size=ROWS)
    return cells, target, np.arange(ROWS) % 5


def encoder(kind: str, cells: np.ndarray, target: np.ndarray) -> Encoder:
    fresh = Category("c", ()) if kind == "category" else fit_column(Column("c", "text"), cells)
    assert isinstance(fresh, (Category, Text))
    return supervised(fresh, cells, centred_target(target, 0), cross_folds(ROWS, None))


@pytest.mark.parametrize("kind", ["category", "text"])
def test_no_feature_follows_the_targets_of_the_validated_fold(kind: str) -> None:
    cells, target, folds = drawn()
    one = encoder(kind, cells, target)
    other = np.where(folds == 2, -target, target)
    found = [blind_to_fold(one, cells, y - target.mean(), folds, 2) for y in (target[:, None], other[:, None])]
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_array_equal(found[0][1], found[1][1])
    within = found[0][1][folds == 2, 0]
    assert np.corrcoef(within, target[folds == 2])[0, 1] > 0.3


def test_an_encoder_that_learned_nothing_from_the_target_is_left_alone() -> None:
    cells, target, folds = drawn()
    assert blind_to_fold(Category("c", ()), cells, target[:, None], folds, 1) is None


def test_where_other_folds_say_nothing_features_are_zero() -> None:
    cells, target, folds = drawn()
    rates = encoder("category", cells, target)
    noise = np.random.default_rng(1).normal(size=(ROWS, 1))
    found = blind_to_fold(rates, cells, noise, folds, 1)
    assert found is not None
    assert not found[1].any()


def test_a_worker_validates_a_fold_on_inputs_that_are_blind_to_it(tmp_path: Path) -> None:
    cells, target, _ = drawn()
    pd.DataFrame({"c": [cell.split()[0] for cell in cells], "n": np.arange(ROWS) % 13, "y": target}).to_csv(
        tmp_path / "t.csv", index=False
    )
    prepared = prepare(load_task(str(tmp_path / "t.csv"), Choices(target="y")), seed=0, data_folder=tmp_path)
    folds, plain = load_folds(tmp_path, prepared.ref), load_part(tmp_path, prepared.ref, KNOWN).inputs
    outside, within = hold_fold(tmp_path, prepared.ref, 3, torch.device("cpu"), torch.float32)
    blind = load_fold(tmp_path, prepared.ref, 3)
    assert blind is not None
    assert load_fold(tmp_path, prepared.ref, 0) is None
    np.testing.assert_array_equal(outside.inputs.numpy(), blind[folds != 3])
    np.testing.assert_array_equal(within.inputs.numpy(), blind[folds == 3])
    changed = (blind != plain).any(axis=0)
    assert changed.sum() == 1
