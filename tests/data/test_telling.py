"""Scores of texts: what their terms tell of the target, from other rows than the one that is encoded."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from automl.data import KNOWN, prepare
from automl.data.fitting import fit_column
from automl.data.schema import Schema
from automl.data.supervised import centred_target, cross_folds, supervised
from automl.data.telling import cross_scores
from automl.encoding import Number, Text
from automl.tasks import Column, Rows, Task

ROWS, VOCABULARY = 1500, 120


def reviews(seed: int = 0, *, effect: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texts of four words, what these add, and a target of unit noise; effects are the same for every seed."""
    chance = np.random.default_rng(seed)
    effects = effect * np.random.default_rng(99).normal(size=VOCABULARY)
    chosen = chance.integers(0, VOCABULARY, (ROWS, 4))
    cells = np.array([" ".join(f"w{place}" for place in row) for row in chosen], dtype=object)
    said = effects[chosen].sum(axis=1)
    return cells, said, said + chance.normal(size=ROWS)


def fitted(cells: np.ndarray, target: np.ndarray, classes: int = 0) -> Text:
    encoder = fit_column(Column("said", "text"), cells)
    assert isinstance(encoder, Text)
    found = supervised(encoder, cells, centred_target(target, classes), cross_folds(ROWS, None))
    assert isinstance(found, Text)
    return found


def test_scores_of_new_rows_follow_what_their_words_add() -> None:
    cells, _, target = reviews()
    new, said, _ = reviews(1)
    encoder = fitted(cells, target)
    assert (encoder.scores, len(encoder.cardinalities)) == (1, 26)
    assert np.corrcoef(encoder.encode(new)[:, 0], said)[0, 1] > 0.9


def test_a_training_rows_score_knows_nothing_of_its_own_target() -> None:
    cells, said, target = reviews()
    encoder = fitted(cells, target)
    scores = cross_scores(encoder, cells, centred_target(target, 0), cross_folds(ROWS, None))[:, 0]
    noise = target - said
    assert abs(np.corrcoef(scores, noise)[0, 1]) < 0.06 < np.corrcoef(encoder.encode(cells)[:, 0], noise)[0, 1]
    assert scores.std() == pytest.approx(1.0)


def test_words_that_tell_nothing_have_no_score_nor_have_very_many_classes() -> None:
    cells, said, target = reviews(effect=0.0)
    assert fitted(cells, target).scores == 0
    cells, said, _ = reviews()
    classes = np.digitize(said, np.linspace(-4, 4, 13))
    assert (fitted(cells, classes, 14).scores, fitted(cells, np.digitize(said, [-1, 1]), 3).scores) == (14, 3)
    assert fitted(cells, classes, 101).scores == 0
    assert fitted(cells, np.random.default_rng(1).permutation(classes), 14).scores == 0


def test_of_many_classes_the_scores_are_few_and_still_tell_them_apart() -> None:
    chance = np.random.default_rng(0)
    classes = chance.integers(0, 40, ROWS)
    cells = np.array([f"w{one} w{40 + one % 13} w{chance.integers(60)}" for one in classes], dtype=object)
    encoder = fitted(cells, classes, 40)
    assert encoder.scores == 24
    new = encoder.encode(np.array([f"w{one} w{40 + one % 13}" for one in range(40)], dtype=object))[:, :24]
    apart = np.linalg.norm(new[:, None] - new[None], axis=2)[~np.eye(40, dtype=bool)]
    assert apart.min() > 0.3
    scores = cross_scores(encoder, cells, centred_target(classes, 40), cross_folds(ROWS, None))
    np.testing.assert_allclose(scores.std(axis=0), 1.0)


def test_workers_map_such_scores_and_a_bundle_gives_new_rows_the_whole_ones(tmp_path: Path) -> None:
    cells, _, target = reviews()
    rows = Rows({"x": np.arange(float(ROWS)), "said": cells}, ("x", "said"), target)
    columns = (Column("x", "number"), Column("said", "text"))
    task = Task("t", "t", "regression", "table", "y", (("rmse", "minimize"),), lambda: rows, "t", columns=columns)
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    schema, inputs = prepared.schema, np.load(tmp_path / prepared.ref.key / KNOWN / "inputs.npy")
    assert Schema.from_json(schema.to_json()) == schema
    assert '"scores"' not in dataclasses.replace(schema, encoders=(Text("said", ("a",), (1.0,), ((1.0,),)),)).to_json()
    trained = prepared.summary.rows["train"]
    number = schema.encoders[0]
    assert isinstance(number, Number)
    order = inputs[:, 0] * number.scale + number.mean
    whole = schema.encode({name: column[order.round().astype(int)] for name, column in rows.features.items()})
    assert np.array_equal(inputs[trained:], whole[trained:])
    assert np.array_equal(np.delete(inputs, 1, axis=1), np.delete(whole, 1, axis=1))
    assert not np.isclose(inputs[:trained, 1], whole[:trained, 1]).any()
