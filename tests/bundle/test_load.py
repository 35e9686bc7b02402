"""A loaded model predicts what was exported, and no bundle makes it run other code."""

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from automl.bundle.format import EXAMPLE, MANIFEST, MODEL, PT2, WEIGHTS, Facts, make_manifest
from automl.bundle.load import load_model, network_outputs
from automl.bundle.verify import main, verify
from automl.errors import StorageError, UnknownFamily
from automl.tasks import load_task

FACTS = Facts("toy", "mlp", "toy-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)


def _sign(folder: Path) -> None:
    """Give changed files a manifest that fits, as whoever made the bundle could."""
    (folder / MANIFEST).unlink()
    (folder / MANIFEST).write_bytes(make_manifest(folder, FACTS))


def _edit_model(folder: Path, **changes) -> None:
    data = json.loads((folder / MODEL).read_text())
    (folder / MODEL).write_text(json.dumps({**data, **changes}))
    _sign(folder)


def test_a_model_is_shown_in_one_line(made):
    model = load_model(made)
    facts, schema = model.manifest.facts, model.schema
    assert repr(model) == (
        f"<Model of task '{facts.task}': mlp, {len(schema.columns)} columns -> '{schema.target}', "
        f"from search '{facts.search}', bundle {model.manifest.digest[:12]}>"
    )


def test_a_loaded_model_gives_the_outputs_it_was_exported_with(made):
    example = load((made / EXAMPLE).read_bytes())
    assert np.allclose(load_model(made).outputs(example["inputs"]), example["outputs"], atol=1e-6)


@pytest.mark.slow
def test_a_prediction_does_not_wait_for_what_only_training_needs(made):
    code = (
        "import sys, numpy, automl\n"
        "model = automl.load_model(sys.argv[1])\n"
        "model.outputs(numpy.zeros((1, *model.schema.shape), dtype='float32'))\n"
        "print({'torch', 'pytorch_lightning', 'torch._dynamo', 'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code, made], capture_output=True, text=True, check=True).stdout
    assert said == "{'torch'}\n"


@pytest.mark.parametrize(("shape", "most"), [((9000, 7), 1024), ((700, 2, 512), 256), ((2000, 1, 8, 8), 1024)])
def test_a_network_is_given_few_rows_at_once_and_all_of_them(shape, most):
    sizes = []

    class Counted(torch.nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            return x.flatten(1)[:, :1]

    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    outputs = network_outputs(Counted(), rows)
    assert np.array_equal(outputs, rows.reshape(len(rows), -1)[:, :1])
    assert max(sizes) == most


def test_raw_rows_give_labels_or_numbers(made):
    model = load_model(made)
    rows = load_task(model.manifest.facts.task).read()
    predicted = model.predict(rows.array())
    assert predicted.shape == rows.target.shape
    if model.schema.labels:
        probabilities = model.predict_proba(rows.array())
        assert probabilities.sum(axis=1) == pytest.approx(1)
        assert set(predicted) <= set(rows.target)
    else:
        assert rows.target.min() < predicted.mean() < rows.target.max()


def test_loading_leaves_the_callers_random_numbers_alone(made):
    import torch

    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    load_model(made)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "family", ["os.system", "os", "..mlp", "mlp.Module", "", "_base", "nope", None, 3, ["mlp"], "mlp\n", "../mlp"]
)
def test_a_family_that_is_no_plain_known_name_is_refused(bundle, family):
    _edit_model(bundle, family=family)
    with pytest.raises(StorageError, match="needs the family"):
        load_model(bundle)


def test_a_family_that_is_not_known_is_a_missing_flag(bundle):
    _edit_model(bundle, family="ours")
    with pytest.raises(UnknownFamily) as raised:
        load_model(bundle)
    assert raised.value.exit_code == 2
    assert "--families-from" in raised.value.hint


@pytest.mark.parametrize("params", [{"width": "8"}, {"unknown": 1}, {"depth": 2, "width": 9, "dropout": 0.1}, None, 7])
def test_parameters_that_do_not_fit_are_a_storage_error(bundle, params):
    _edit_model(bundle, params=params)
    with pytest.raises(StorageError):
        load_model(bundle)


class _Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


@pytest.mark.parametrize("name", [WEIGHTS, MODEL, "schema.json"])
def test_a_pickle_under_any_name_never_runs(bundle, tmp_path, name):
    marker = tmp_path / "ran"
    (bundle / name).write_bytes(pickle.dumps(_Payload(marker)))
    _sign(bundle)
    with pytest.raises(StorageError):
        load_model(bundle)
    assert not marker.exists()


@pytest.mark.parametrize("damage", ["type", "shape", "missing", "extra"])
def test_weights_that_do_not_fit_the_family_name_the_tensor(bundle, damage):
    weights = load((bundle / WEIGHTS).read_bytes())
    name = next(name for name in weights if name.endswith("1.weight"))
    match damage:
        case "type":
            weights[name] = weights[name].astype(np.float64)
        case "shape":
            weights[name] = weights[name][:-1].copy()
        case "missing":
            del weights[name]
        case "extra":
            weights["more"] = np.zeros(1, np.float32)
    (bundle / WEIGHTS).write_bytes(save(weights))
    _sign(bundle)
    with pytest.raises(StorageError, match="more" if damage == "extra" else name):
        load_model(bundle)


def test_verify_accepts_a_whole_bundle_and_refuses_other_outputs(bundle, capsys, monkeypatch):
    verify(bundle)
    example = load((bundle / EXAMPLE).read_bytes())
    (bundle / EXAMPLE).write_bytes(save({**example, "outputs": example["outputs"] + np.float32(1e-3)}))
    _sign(bundle)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{bundle}\n"))
    assert main([]) == 5
    assert "does not give the outputs" in capsys.readouterr().err


def test_verify_refuses_a_pt2_of_another_model(bundle):
    """The weights beside it are right: whoever loads the bundle with us would notice nothing."""
    program = torch.export.load(bundle / PT2)
    for tensor in program.state_dict.values():
        tensor.data += 0.1
    torch.export.save(program, bundle / PT2)
    _sign(bundle)
    with pytest.raises(StorageError, match=r"model\.pt2 does not give the outputs"):
        verify(bundle)


def test_verify_refuses_a_pt2_that_takes_only_as_many_rows_as_it_was_traced_with(bundle):
    inputs = torch.from_numpy(load((bundle / EXAMPLE).read_bytes())["inputs"])
    torch.export.save(torch.export.export(load_model(bundle).network, (inputs,)), bundle / PT2)
    _sign(bundle)
    with pytest.raises(AssertionError, match=rf"== {len(inputs)}"):
        verify(bundle)
