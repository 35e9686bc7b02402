"""A bundle decides between two classes by its own threshold, in every way it is asked, and an old one by 0.5."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from exported import bundled

from automl.bundle import predict_frame, standalone
from automl.bundle.format import MANIFEST, MODEL, make_manifest, read_manifest
from automl.bundle.load import Model, load_model
from automl.bundle.predict import write_predictions
from automl.data import Chunk
from automl.export.card import model_card
from automl.export.conversion import convert
from automl.tasks import load_task


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Untrained, so the threshold is what lies in the middle of its probabilities."""
    torch.manual_seed(0)
    even = load_model(bundled(tmp_path_factory.mktemp("even"), "breast_cancer"))
    torch.manual_seed(0)
    middle = float(np.median(even.predict_proba(_rows())[:, 1]))
    return bundled(tmp_path_factory.mktemp("decided"), "breast_cancer", threshold=middle)


def _rows() -> dict[str, np.ndarray]:
    rows = load_task("breast_cancer").read()
    return {name: cells[:40] for name, cells in rows.features.items()}


def _expected(model: Model) -> list[str]:
    second = model.predict_proba(_rows())[:, 1] > model.threshold
    assert 0 < second.sum() < 40
    return np.where(second, "malignant", "benign").tolist()


def test_labels_follow_the_threshold_and_probabilities_do_not(bundle):
    model = load_model(bundle)
    assert model.threshold != 0.5
    assert model.predict(_rows()).tolist() == _expected(model)
    assert predict_frame(model, pd.DataFrame(_rows()))["prediction"].tolist() == _expected(model)
    stream = io.StringIO()
    write_predictions(model, [Chunk(_rows())], stream)
    _, *lines = csv.reader(io.StringIO(stream.getvalue()))
    assert [line[0] for line in lines] == _expected(model)
    assert np.allclose(np.array([line[1:] for line in lines], float), model.predict_proba(_rows()))


def test_a_bundle_without_a_threshold_decides_by_a_half(bundle, tmp_path):
    old = shutil.copytree(bundle, tmp_path / "old")
    document = json.loads((old / MODEL).read_text())
    del document["threshold"]
    (old / MODEL).write_text(json.dumps(document))
    facts = read_manifest(old).facts
    (old / MANIFEST).unlink()
    (old / MANIFEST).write_bytes(make_manifest(old, facts))
    assert load_model(old).threshold == 0.5
    assert standalone.read_threshold(old) == 0.5


def test_the_script_without_us_decides_alike(bundle, tmp_path, monkeypatch, capsys):
    folder, model = convert(bundle, "pt2", tmp_path / "pt2"), load_model(bundle)
    pd.DataFrame(_rows()).to_csv(tmp_path / "rows.csv", index=False)
    monkeypatch.setattr(standalone, "__file__", str(folder / "predict.py"))
    monkeypatch.setattr("sys.argv", ["predict.py", str(tmp_path / "rows.csv")])
    standalone.main()
    _, *lines = csv.reader(capsys.readouterr().out.splitlines())
    assert [line[0] for line in lines] == _expected(model)
    assert f"above {model.threshold!r}" in (folder / "README.txt").read_text()


def test_the_card_says_the_threshold(bundle):
    model = load_model(bundle)
    card = model_card(read_manifest(bundle).facts, (bundle / MODEL).read_bytes(), model.schema)
    assert f"| threshold | {model.threshold:.3g}, the probability above which" in card


def test_three_classes_are_decided_by_the_most_probable():
    model = Model(None, SimpleNamespace(labels=("a", "b", "c")), None, None)
    assert model.decide(np.array([[0.2, 0.5, 0.3], [0.4, 0.25, 0.35]])).tolist() == ["b", "a"]
    assert standalone.decide(0.5, np.array([[0.2, 0.5, 0.3]])).tolist() == [1]
