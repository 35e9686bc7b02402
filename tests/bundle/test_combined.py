"""An ensemble is one bundle: it predicts the pooled, calibrated probabilities, in each of its forms, and each member is checked."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from exported import assigned
from safetensors.numpy import load, save

from automl.bundle.format import CARD, EXAMPLE, MANIFEST, MODEL, SCHEMA, WEIGHTS, Facts, make_manifest
from automl.bundle.load import build_module, load_model, network_outputs
from automl.bundle.verify import verify
from automl.data import Schema
from automl.errors import StorageError
from automl.export.card import model_card
from automl.worker.exporting import export

WEIGHT, TEMPERATURE = (0.25, 0.75), 2.0
FACTS = Facts("toy", "ensemble", "toy-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)


@pytest.fixture(scope="session", params=["wine", "diabetes"])
def joined(request, tmp_path_factory) -> tuple[Path, np.ndarray]:
    """An ensemble's folder, and what its example rows should give, computed here from each member alone."""
    root = tmp_path_factory.mktemp(f"joined-{request.param}")
    assignment, places = assigned(root, request.param, shares=WEIGHT, temperature=TEMPERATURE)
    export(assignment, places)
    folder = root / "staging" / "export-0-0-0"
    inputs = load((folder / EXAMPLE).read_bytes())["inputs"]
    modules = [
        build_module("mlp", one.params, assignment.spec, (root / str(one.resume_from)).read_bytes(), "here")
        for one in assignment.members
    ]
    outputs = [network_outputs(module.exported(), inputs).astype(np.float64) for module in modules]
    (folder / CARD).write_text("# a card")
    (folder / MANIFEST).write_bytes(make_manifest(folder, FACTS))
    return folder, _expected(outputs, classes=assignment.spec.classes)


def _expected(outputs: list[np.ndarray], *, classes: int) -> np.ndarray:
    if not classes:
        return np.average(outputs, axis=0, weights=WEIGHT)
    shares = [np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in outputs]
    powers = np.average(shares, axis=0, weights=WEIGHT) ** (1 / TEMPERATURE)
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def bundle(joined, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(joined[0], tmp_path / "bundle"))


def _sign(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).write_bytes(make_manifest(folder, FACTS))


def test_a_loaded_ensemble_gives_the_weighted_mean_scaled(joined):
    folder, expected = joined
    model = load_model(folder)
    outputs = model.outputs(load((folder / EXAMPLE).read_bytes())["inputs"])
    found = model.schema.decode(outputs) if model.schema.labels else outputs
    assert np.allclose(found, expected, atol=1e-6)


def test_its_pt2_and_its_weights_agree(joined):
    verify(joined[0])


@pytest.mark.parametrize("damage", ["missing", "extra", "stranger", "shape", "swapped"])
def test_weights_that_do_not_fit_a_member_are_refused(bundle, damage):
    weights = load((bundle / WEIGHTS).read_bytes())
    name = next(name for name in weights if name.startswith("1.") and name.endswith("1.weight"))
    match damage:
        case "missing":
            del weights[name]
        case "extra":
            weights["0.more"] = np.zeros(1, np.float32)
        case "stranger":
            weights["2.network.1.weight"] = weights[name]
        case "shape":
            weights[name] = weights[name][:-1].copy()
        case "swapped":
            weights = {f"{1 - int(key[0])}{key[1:]}": tensor for key, tensor in weights.items()}
    (bundle / WEIGHTS).write_bytes(save(weights))
    _sign(bundle)
    with pytest.raises(StorageError, match="weights do not fit"):
        load_model(bundle)


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0}, {"temperature": -1}, {"temperature": 1e9}, {"temperature": "2"}, {"temperature": True},
        {"temperature": float("nan")}, {"members": []}, {"members": None}, {"members": {}}, {"members": [1]},
    ],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(bundle, changes):
    data = json.loads((bundle / MODEL).read_text())
    (bundle / MODEL).write_text(json.dumps({**data, **changes}))
    _sign(bundle)
    with pytest.raises(StorageError, match="cannot be read"):
        load_model(bundle)


@pytest.mark.parametrize(
    "change", [{"weight": 0}, {"weight": -0.25}, {"weight": 1.0}, {"weight": None}, {"family": "os.system"}]
)
def test_a_member_that_makes_no_sense_is_refused(bundle, change):
    data = json.loads((bundle / MODEL).read_text())
    data["members"][0] |= change
    (bundle / MODEL).write_text(json.dumps(data))
    _sign(bundle)
    with pytest.raises(StorageError, match=r"cannot be read|needs the family"):
        load_model(bundle)


def _card(joined, importance=None):
    folder = joined[0]
    schema = Schema.from_json((folder / SCHEMA).read_bytes())
    return model_card(FACTS, (folder / MODEL).read_bytes(), schema, importance)


def test_the_card_names_each_member_and_the_temperature(joined):
    card = _card(joined)
    assert "| member 1: mlp, weight 0.25 |" in card
    assert "| member 2: mlp, weight 0.75 |" in card
    assert "| temperature | 2 |" in card


def test_the_card_lists_the_ten_columns_that_matter_most_as_text(joined):
    names = ["<script>x|y", "a\nb", *(f"c{place}" for place in range(20))]
    importance = {name: [0.3, 0.01] for name in names}
    card = _card(joined, importance)
    assert "| &#60;script&#62;x&#124;y | 0.3 | 0.01 |\n| a b | 0.3 | 0.01 |\n" in card
    assert ("| c7 |" in card, "| c8 |" in card) == (True, False)
    assert "shuffled" not in _card(joined, {})
