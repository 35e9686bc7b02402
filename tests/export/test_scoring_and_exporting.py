"""The two assignments that end a search: the sealed test is scored once, and weights become files."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from exported import assigned, bundled, compared
from safetensors.numpy import load
from safetensors.torch import load_file, save_file

from automl.bundle.format import EXAMPLE, MANIFEST, MODEL, SCHEMA, STAGED, WEIGHTS, make_manifest, read_manifest
from automl.bundle.load import load_model
from automl.data import load_part, load_raw_test, load_schema
from automl.data.durable import sha256_of
from automl.encoding import Category, Number
from automl.errors import ConfigError, DataError, StorageError
from automl.messages import to_json
from automl.tasks.metrics import decide, measure
from automl.winner import read_importance, read_scores
from automl.worker.exporting import export
from automl.worker.hardest import hardest
from automl.worker.scoring import score

EVERY_PART = ("train", "validation", "test")


def _scoring(assignment):
    return dataclasses.replace(
        assignment,
        id="score-0-0-0",
        kind="score",
        data=dataclasses.replace(assignment.data, parts=EVERY_PART),
    )


def _with_champion(ready, tmp_path, name="wine"):
    assignment, places = ready
    champion = bundled(tmp_path / "other", name)
    shutil.copytree(champion, places.search / "champion" / tmp_path.name)
    asked = dataclasses.replace(_scoring(assignment), champion=f"champion/{tmp_path.name}")
    (outcome,) = score(asked, places)
    return champion, outcome, read_scores(places.search / outcome.artifacts["predictions"].path)


def test_the_champion_predicts_the_raw_test_rows_with_its_own_preprocessing(ready, tmp_path):
    champion, outcome, scores = _with_champion(ready, tmp_path)
    assert outcome.reason == ""
    assignment, places = ready
    ref = dataclasses.replace(assignment.data, parts=EVERY_PART)
    rows = load_raw_test(places.data, ref)
    np.testing.assert_allclose(scores.predictions["champion"], load_model(champion).predict_proba(rows))
    assert "champion" in outcome.values


def test_a_champion_with_its_classes_in_another_order_is_judged_by_what_it_decides(tmp_path):
    torch.manual_seed(0)
    assignment, places = assigned(tmp_path, "breast_cancer")
    champion, asked = bundled(tmp_path / "other", "breast_cancer"), _scoring(assignment)
    rows, labels = load_raw_test(places.data, asked.data), load_schema(places.data, asked.data).labels
    threshold = float(np.quantile(load_model(champion).predict_proba(rows)[:, 1], 0.3))  # so that it decides for both
    facts = read_manifest(champion).facts
    for name, changes in ((SCHEMA, {"labels": labels[::-1]}), (MODEL, {"threshold": threshold})):
        (champion / name).write_text(json.dumps({**json.loads((champion / name).read_bytes()), **changes}))
    (champion / MANIFEST).unlink()
    (champion / MANIFEST).write_bytes(make_manifest(champion, facts))
    (outcome,) = score(dataclasses.replace(asked, champion=str(champion.relative_to(tmp_path))), places)
    scores = read_scores(places.search / outcome.artifacts["predictions"].path)
    decided = np.array(labels)[decide(scores.predictions["champion"], scores.thresholds["champion"])]
    assert set(decided) == set(labels)
    np.testing.assert_array_equal(decided, load_model(champion).predict(rows))


def test_a_champion_of_other_columns_is_left_out_and_that_is_said(ready, tmp_path):
    _, outcome, scores = _with_champion(ready, tmp_path, "breast_cancer")
    assert outcome.state == "complete"
    assert "other columns" in outcome.reason
    assert "champion" not in scores.predictions


def test_a_champion_or_baseline_that_is_no_number_costs_no_score(ready, tmp_path, monkeypatch):
    assignment, places = ready
    scoring = compared(assignment, places)
    path = places.search / scoring.baselines
    with np.load(path) as archive:
        found = {name: archive[name] for name in archive.files}
    np.savez(tmp_path / "b.npz", **{**found, "linear": np.full_like(found["linear"], np.inf)})
    shutil.copy(tmp_path / "b.npz", places.search / "infinite.npz")

    def fails(*_):
        raise RuntimeError("size mismatch")

    monkeypatch.setattr("automl.worker.scoring.load_model", fails)
    (outcome,) = score(dataclasses.replace(scoring, baselines="infinite.npz", champion="any"), places)
    assert outcome.reason == "the champion cannot be scored: size mismatch"
    scores = read_scores(places.search / outcome.artifacts["predictions"].path)
    assert set(scores.predictions) == {"model", "majority", "boosted_trees"}
    to_json(outcome)


def test_members_of_a_role_are_one_model_and_only_what_is_exported_is_calibrated(tmp_path):
    assignment, places = assigned(tmp_path, shares=(0.25, 0.75), temperature=2.0)
    one, other = assignment.members
    alone = [
        dataclasses.replace(one, role="single", weight=1.0),
        dataclasses.replace(other, role="default", weight=1.0),
    ]
    asked = _scoring(dataclasses.replace(assignment, members=(one, other, *alone)))
    (outcome,) = score(asked, places)
    found = read_scores(places.search / outcome.artifacts["predictions"].path).predictions
    powers = np.sqrt(0.25 * found["single"] + 0.75 * found["default"])
    np.testing.assert_allclose(found["model"], powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


def test_export_stages_every_file_and_tells_size_and_hash(ready, staged):
    assignment, places = ready
    (outcome,) = export(assignment, places)
    assert set(outcome.artifacts) == set(STAGED)
    for artifact in outcome.artifacts.values():
        path = places.search / artifact.path
        assert (path.stat().st_size, sha256_of(path)) == (artifact.bytes, artifact.sha256)


def test_the_example_holds_32_rows_or_what_there_is(staged):
    example = load((staged / EXAMPLE).read_bytes())
    assert example["inputs"].shape == (29, 13)
    assert example["outputs"].shape == (29, 3)


def test_weights_trained_in_16_bits_are_exported_in_32_without_a_change(ready, tmp_path):
    assignment, places = ready
    weights = load_file(places.search / "weights.safetensors")
    save_file({name: tensor.bfloat16() for name, tensor in weights.items()}, tmp_path / "weights.safetensors")
    places = dataclasses.replace(places, search=tmp_path)
    export(assignment, places)
    exported = load_file(tmp_path / "staging" / assignment.id / WEIGHTS)
    for name, tensor in weights.items():
        assert exported[name].dtype == torch.float32
        assert torch.equal(exported[name], tensor.bfloat16().float())


def test_missing_weights_are_a_storage_error_with_their_path(ready, tmp_path):
    assignment, places = ready
    with pytest.raises(StorageError, match=r"weights\.safetensors"):
        export(assignment, dataclasses.replace(places, search=tmp_path))


def test_score_measures_model_and_baselines_on_the_test_rows(ready):
    assignment, places = ready
    scoring = compared(assignment, places)
    (outcome,) = score(scoring, places)
    scores = read_scores(places.search / outcome.artifacts["predictions"].path)
    assert (scores.target == load_part(places.data, scoring.data, "test").target).all()
    assert set(scores.predictions) == {"model", "majority", "linear", "boosted_trees"}
    assert (
        outcome.value == outcome.values["accuracy"] == measure("accuracy", scores.target, scores.predictions["model"])
    )
    assert outcome.values["linear"] == measure("accuracy", scores.target, scores.predictions["linear"])
    assert outcome.values["majority"] < 0.6 < 0.9 < outcome.values["linear"]


def test_baselines_predict_the_test_rows_and_never_see_their_answers(ready, tmp_path):
    assignment, places = ready
    scoring = compared(assignment, places)
    blind = tmp_path / "data"
    shutil.copytree(places.data, blind)
    (blind / assignment.data.key / "test" / "target.npy").unlink()
    again = compared(assignment, dataclasses.replace(places, data=blind, search=tmp_path))
    with np.load(places.search / scoring.baselines) as known, np.load(tmp_path / again.baselines) as unseen:
        assert list(known) == list(unseen) == ["majority", "linear", "boosted_trees", "thresholds"]
        assert all(np.array_equal(known[name], unseen[name]) for name in known)


def test_without_baselines_the_model_is_measured_all_the_same(ready):
    assignment, places = ready
    (outcome,) = score(_scoring(assignment), places)
    assert list(read_scores(places.search / outcome.artifacts["predictions"].path).predictions) == ["model"]


def test_baselines_that_are_gone_or_empty_are_a_storage_error_with_their_path(ready):
    assignment, places = ready
    (places.search / "empty.npz").touch()
    with pytest.raises(StorageError, match=r"empty\.npz"):
        score(dataclasses.replace(_scoring(assignment), baselines="empty.npz"), places)
    with pytest.raises(StorageError, match=r"gone\.npz"):
        score(dataclasses.replace(_scoring(assignment), baselines="gone.npz"), places)


def test_a_score_that_was_not_granted_the_test_part_fails(ready):
    assignment, places = ready
    with pytest.raises(DataError, match="sealed"):
        score(dataclasses.replace(assignment, kind="score"), places)


def test_another_kind_may_not_score_even_where_the_test_part_was_granted(ready):
    assignment, places = ready
    with pytest.raises(ConfigError, match="Only a score assignment"):
        score(dataclasses.replace(_scoring(assignment), kind="trial"), places)


def test_a_member_without_weights_is_refused(ready):
    assignment, places = ready
    bare = dataclasses.replace(assignment, members=(dataclasses.replace(assignment.members[0], resume_from=None),))
    with pytest.raises(ConfigError, match="one member with weights"):
        export(bare, places)


def test_saved_predictions_need_no_pickle(ready):
    assignment, places = ready
    (outcome,) = score(_scoring(assignment), places)
    with np.load(places.search / outcome.artifacts["predictions"].path, allow_pickle=False) as archive:
        assert {archive[name].dtype.kind for name in archive.files} == {"f", "i"}


def test_the_rows_predicted_worst_are_set_apart_with_what_shows_them(ready):
    assignment, places = ready
    scoring = _scoring(assignment)
    (outcome,) = score(scoring, places)
    scores = read_scores(places.search / outcome.artifacts["predictions"].path)
    test = load_part(places.data, scoring.data, "test")
    with np.load(places.search / outcome.artifacts["hardest"].path, allow_pickle=False) as archive:
        apart = {name: archive[name] for name in archive.files}
    rows = apart["rows"]
    chances = scores.predictions["model"][np.arange(len(test.target)), test.target]
    assert len(rows) == 12
    assert chances[rows].tolist() == sorted(chances)[:12]
    assert (apart["inputs"] == test.inputs[rows]).all()
    assert apart["labels"].tolist() == ["class_0", "class_1", "class_2"]
    assert len(apart["columns"]) == 13
    assert apart["cells"].shape == apart["unusual"].shape == (12, 13)
    raw = load_raw_test(places.data, scoring.data)
    assert [float(cell) for cell in apart["cells"][:, 0]] == pytest.approx(raw["alcohol"][rows])


def test_of_numbers_the_worst_are_those_furthest_off_and_those_that_are_none():
    schema = SimpleNamespace(columns=("a", "b"), encoders=(Number("a"), Category("b", ("x",))), labels=())
    raw = {"a": np.array([0.5, 1.0, np.nan, 2.0]), "b": np.array(["x", None, "y", "x"], dtype=object)}
    found = hardest(schema, np.zeros((4, 1)), raw, np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 9.0, 2.0, np.nan]))
    assert found["rows"].tolist() == [3, 1, 2, 0]
    assert found["cells"].tolist() == [["2", "x"], ["1", "missing"], ["missing", "y"], ["0.5", "x"]]
    assert found["unusual"].tolist() == [[2.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.5, 0.0]]


def test_the_same_reading_explains_the_exported_model_where_time_is_given_for_it(ready):
    assignment, places = ready
    (outcome,) = score(dataclasses.replace(_scoring(assignment), explaining=60.0), places)
    found = read_importance(places.search / outcome.artifacts["explained"].path)
    schema = load_schema(places.data, assignment.data)
    assert sorted(found) == sorted(schema.columns)
    means = [mean for mean, _ in found.values()]
    assert means == sorted(means, reverse=True)
    assert "explained" not in score(_scoring(assignment), places)[0].artifacts
