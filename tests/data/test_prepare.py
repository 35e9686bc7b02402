"""Prepared arrays: right, whole, private, shared by content, and refused where the data cannot be learned from."""

import dataclasses
import importlib
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from automl.data import (
    KNOWN,
    TEST_INPUTS,
    Schema,
    load_part,
    load_raw_test,
    load_schema,
    load_test_inputs,
    prepare,
    spec_for,
)
from automl.errors import DataError, StorageError
from automl.messages import spec_from, to_json
from automl.tasks import Rows, Task, load_task

EVERY_PART = ("train", "validation", "test")


def _toy(features: np.ndarray, target: np.ndarray, kind: str = "classification") -> Task:
    columns = tuple("abcdefgh"[: features.shape[1]])
    return dataclasses.replace(
        load_task("wine"),
        name="toy",
        kind=kind,
        shape=(features.shape[1],),
        read=lambda: Rows(features, columns, target),
    )


def _numbers(rows: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(5, 3, size=(rows, 4))


def _labels(rows: int = 200) -> np.ndarray:
    return np.array(["no", "yes"])[np.arange(rows) % 2]


def test_tables_are_standardised_by_the_training_rows_alone(tmp_path):
    prepared = prepare(load_task("wine"), seed=0, data_folder=tmp_path)
    train = load_part(tmp_path, prepared.ref, "train").inputs
    validation = load_part(tmp_path, prepared.ref, "validation").inputs
    assert train.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert train.std(axis=0) == pytest.approx(1, abs=1e-5)
    assert abs(validation.mean(axis=0)).max() > 1e-3


def test_images_have_their_shape_and_one_scale_per_channel(tmp_path):
    prepared = prepare(load_task("digits"), seed=0, data_folder=tmp_path)
    train = load_part(tmp_path, prepared.ref, "train")
    assert train.inputs.shape[1:] == (1, 8, 8)
    assert (train.inputs.dtype, train.target.dtype) == (np.float32, np.int64)
    assert len(prepared.schema.encoders[0].means) == 1
    assert float(train.inputs.std()) == pytest.approx(1, abs=1e-4)


def test_a_regression_target_is_standardised_and_decodes_to_its_own_units(tmp_path):
    task = load_task("diabetes")
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    target = load_part(tmp_path, prepared.ref, "train").target
    assert float(target.std()) == pytest.approx(1, abs=1e-4)
    decoded = load_schema(tmp_path, prepared.ref).decode(target[:, None])
    assert set(decoded.round(3)) <= set(task.read().target.round(3))


def test_the_schema_survives_json(tmp_path):
    schema = prepare(load_task("breast_cancer"), seed=0, data_folder=tmp_path).schema
    assert Schema.from_json(schema.to_json()) == schema


def test_decoded_logits_are_probabilities_even_when_huge(tmp_path):
    schema = prepare(load_task("wine"), seed=0, data_folder=tmp_path).schema
    probabilities = schema.decode(np.array([[1e4, 0, -1e4], [0.0, 0.0, 0.0]], dtype=np.float32))
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert probabilities[1] == pytest.approx(1 / 3)


def test_whole_number_labels_sort_as_numbers(tmp_path):
    schema = prepare(_toy(_numbers(), np.arange(200) % 12), seed=0, data_folder=tmp_path).schema
    assert schema.labels == tuple(str(label) for label in range(12))


def test_missing_features_become_the_mean_and_are_counted(tmp_path):
    features = _numbers()
    features[:20, 2] = np.nan
    prepared = prepare(_toy(features, _labels()), seed=0, data_folder=tmp_path)
    assert "c (20)" in prepared.summary.warnings[0]
    for part in EVERY_PART:
        granted = dataclasses.replace(prepared.ref, parts=EVERY_PART)
        assert np.isfinite(load_part(tmp_path, granted, part).inputs).all()


def test_the_test_part_is_sealed_until_granted(tmp_path):
    ref = prepare(load_task("wine"), seed=0, data_folder=tmp_path).ref
    with pytest.raises(DataError, match="sealed"):
        load_part(tmp_path, ref, "test")
    for load in (load_raw_test, load_test_inputs):
        with pytest.raises(DataError, match="sealed"):
            load(tmp_path, ref)
    blind = dataclasses.replace(ref, parts=("train", "validation", TEST_INPUTS))
    assert len(load_test_inputs(tmp_path, blind)[0]) == len(load_raw_test(tmp_path, blind)["alcohol"]) == 35
    with pytest.raises(DataError, match="sealed"):
        load_part(tmp_path, blind, "test")
    assert len(load_part(tmp_path, dataclasses.replace(ref, parts=EVERY_PART), "test").target) == 35


def test_a_limit_of_rows_cuts_what_is_learned_from_and_nothing_else(tmp_path):
    ref = dataclasses.replace(prepare(load_task("wine"), seed=0, data_folder=tmp_path).ref, parts=EVERY_PART)
    few = dataclasses.replace(ref, most_rows=50)
    whole, cut = ({part: load_part(tmp_path, one, part) for part in (*EVERY_PART, KNOWN)} for one in (ref, few))
    assert {part: len(rows.target) for part, rows in cut.items()} == {
        "train": 50,
        "validation": 29,
        "test": 35,
        KNOWN: 50,
    }
    assert np.array_equal(cut["train"].inputs, whole["train"].inputs[:50])
    assert np.array_equal(whole[KNOWN].target, np.append(whole["train"].target, whole["validation"].target))


def test_groups_are_numbered_beside_the_rows_of_each_part(tmp_path):
    features, labels = _numbers(), _labels()
    group = np.array([f"customer {row // 4}" for row in range(200)])
    task = dataclasses.replace(_toy(features, labels), read=lambda: Rows(features, tuple("abcd"), labels, group))
    ref = dataclasses.replace(prepare(task, seed=0, data_folder=tmp_path).ref, parts=EVERY_PART)
    parts = [load_part(tmp_path, ref, part).clusters for part in (KNOWN, "test")]
    assert sum(len(np.unique(clusters)) for clusters in parts) == 50  # no group is torn apart
    assert all(set(np.bincount(clusters)) == {4} for clusters in parts)
    assert (
        load_part(tmp_path, prepare(_toy(features, labels), seed=0, data_folder=tmp_path).ref, "train").clusters is None
    )


def test_equal_rows_in_another_order_give_the_same_arrays_to_the_bit(tmp_path):
    features, labels, order = _numbers(), _labels(), np.random.default_rng(1).permutation(200)
    first = prepare(_toy(features, labels), seed=3, data_folder=tmp_path / "one")
    second = prepare(_toy(features[order], labels[order]), seed=3, data_folder=tmp_path / "two")
    assert first.ref == second.ref
    for name in ("known/inputs.npy", "known/target.npy", "schema.json"):
        paths = [tmp_path / place / first.ref.key / name for place in ("one", "two")]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_key_follows_the_seed_and_the_content_does_not(tmp_path):
    first, second = (prepare(load_task("wine"), seed=seed, data_folder=tmp_path).ref for seed in (0, 1))
    assert first.key != second.key
    assert first.content == second.content


def test_a_second_prepare_reuses_what_is_there(tmp_path):
    ref = prepare(load_task("wine"), seed=0, data_folder=tmp_path).ref
    (tmp_path / ref.key / "mark").touch()
    prepare(load_task("wine"), seed=0, data_folder=tmp_path)
    assert (tmp_path / ref.key / "mark").exists()


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete"])
def test_damaged_arrays_are_written_again(tmp_path, damage):
    ref = prepare(load_task("wine"), seed=0, data_folder=tmp_path).ref
    path = tmp_path / ref.key / "known" / "inputs.npy"
    whole = path.read_bytes()
    path.unlink()
    if damage != "delete":
        path.write_bytes(whole[:-8] if damage == "truncate" else whole[:-1] + bytes([whole[-1] ^ 1]))
    prepare(load_task("wine"), seed=0, data_folder=tmp_path)
    assert path.read_bytes() == whole


def test_eight_at_once_prepare_one_whole_folder_and_leave_nothing_else(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(prepare, load_task("wine"), seed=0, data_folder=tmp_path) for _ in range(8)]
        refs = {future.result().ref for future in futures}
    assert [path.name for path in tmp_path.iterdir()] == [refs.pop().key]
    assert not refs


def test_a_folder_that_another_process_finishes_meanwhile_is_left_alone(tmp_path, monkeypatch):
    module = importlib.import_module("automl.data.preparing")

    def other_process_finishes_after_our_look(folder: Path) -> bool:
        monkeypatch.undo()
        prepare(load_task("wine"), seed=0, data_folder=tmp_path)
        (folder / "mark").touch()
        return False

    monkeypatch.setattr(module, "is_whole", other_process_finishes_after_our_look)
    ref = prepare(load_task("wine"), seed=0, data_folder=tmp_path).ref
    assert (tmp_path / ref.key / "mark").exists()


def test_only_the_owner_may_read(tmp_path):
    before = os.umask(0)
    try:
        ref = prepare(load_task("wine"), seed=0, data_folder=tmp_path / "data").ref
    finally:
        os.umask(before)
    for path in (tmp_path / "data" / ref.key).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_data_folder_that_is_a_file_is_a_storage_error(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StorageError, match="data"):
        prepare(load_task("wine"), seed=0, data_folder=tmp_path / "data")


def test_the_spec_tells_shapes_classes_and_loss(tmp_path):
    task = load_task("digits")
    spec = spec_for(task, prepare(task, seed=0, data_folder=tmp_path), max_epochs=7)
    assert (spec.input.kind, spec.input.shape, spec.classes) == ("image", (1, 8, 8), 10)
    assert (spec.loss, spec.output_size, spec.max_resource) == ("cross_entropy", 10, 7)
    task = load_task("diabetes")
    spec = spec_for(task, prepare(task, seed=0, data_folder=tmp_path))
    assert (spec.loss, spec.classes, spec.output_size) == ("mse", 0, 1)
    task = task.steered_by("mae")
    assert spec_for(task, prepare(task, seed=0, data_folder=tmp_path)).loss == "mae"


def _with(value: float, array: np.ndarray) -> np.ndarray:
    array = array.astype(float)
    array.flat[6] = value
    return array


@pytest.mark.parametrize(
    ("features", "target", "kind", "words"),
    [
        (_numbers(0), _labels(0), "classification", "empty"),
        (_numbers(19), _labels(19), "classification", r"too few rows \(19 < 20\)"),
        (_numbers(), _labels(199), "classification", "200 rows of features, but 199 targets"),
        (_with(np.inf, _numbers()), _labels(), "classification", "column 'c', row 2 is infinite"),
        (_numbers().astype(str), _labels(), "classification", "features must be numbers"),
        (_numbers(), np.full(200, "yes"), "classification", r"one class only \(yes\)"),
        (
            _numbers(),
            np.array([None, *_labels(199)], dtype=object),
            "classification",
            "missing in 1 rows, first in row 1",
        ),
        (_numbers(), _with(np.nan, np.arange(200)), "classification", "missing in 1 rows, first in row 7"),
        (_numbers(), _with(np.nan, np.arange(200)), "regression", "NaN or infinite in 1 rows, first in row 7"),
        (_numbers(), np.ones(200), "regression", "constant"),
        (_numbers(), _labels(), "regression", "must be numbers"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused_with_the_place(tmp_path, features, target, kind, words):
    with pytest.raises(DataError, match=words) as caught:
        prepare(_toy(features, target, kind), seed=0, data_folder=tmp_path)
    assert caught.value.exit_code == 3
    assert not list(Path(tmp_path).iterdir())


def test_rmsle_of_a_target_that_has_no_logarithm_is_refused_with_the_row(tmp_path):
    task = _toy(_numbers(), np.arange(200.0) - 3, "regression").steered_by("rmsle")
    with pytest.raises(
        DataError, match=r"rmsle needs targets above -1, but 'grower' is -3 in row 1. Choose --metric rmse"
    ):
        prepare(task, seed=0, data_folder=tmp_path)


def test_a_rare_class_is_named(tmp_path):
    labels = _labels().astype("U8")
    labels[:2] = "rare"
    assert "rare (2)" in prepare(_toy(_numbers(), labels), seed=0, data_folder=tmp_path).summary.warnings[0]


def test_the_spec_says_how_many_training_rows_each_class_has(tmp_path):
    task = load_task("wine")
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    spec = spec_for(task, prepared)
    target = load_part(tmp_path, prepared.ref, "train").target
    assert spec.class_rows == tuple(np.bincount(target).tolist())
    assert spec_from(json.loads(to_json(spec))) == spec
    assert (
        spec_for(load_task("diabetes"), prepare(load_task("diabetes"), seed=0, data_folder=tmp_path)).class_rows == ()
    )
