"""A small published bundle of each kind, made once: exported by a worker's function and given a manifest."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from safetensors.torch import save

from automl import catalog
from automl.bundle.format import CARD, MANIFEST, Facts, make_manifest
from automl.data import prepare, spec_for
from automl.messages import Assignment, Member
from automl.tasks import load_task
from automl.worker.exporting import export
from automl.worker.perform import Places


@pytest.fixture(scope="session", params=["wine", "diabetes"])
def made(request, tmp_path_factory) -> Path:
    """A bundle's folder; shared, so tests that change files take `bundle`."""
    root = tmp_path_factory.mktemp(request.param)
    task = load_task(request.param)
    prepared = prepare(task, seed=0, data_folder=root / "data")
    spec = dataclasses.replace(spec_for(task, prepared), max_resource=1)
    params = {**catalog.space("mlp").DEFAULT, "width": 8}
    weights = {name: tensor.clone() for name, tensor in catalog.module("mlp", spec, params).state_dict().items()}
    (root / "weights.safetensors").write_bytes(save(weights))
    member = Member(0, 0, 0, "mlp", params, 0, "weights.safetensors")
    assignment = Assignment(
        "export-0-0-0", "export", (member,), spec, prepared.ref, task.metric, task.direction, max_resource=1
    )
    export(assignment, Places(data=root / "data", search=root))
    folder = root / "staging" / "export-0-0-0"
    (folder / CARD).write_text("# a card")
    facts = Facts(task.name, "mlp", f"{task.name}-0", 0, 0, task.metric, task.direction, {"test": 0.5}, "0" * 64)
    (folder / MANIFEST).write_bytes(make_manifest(folder, facts))
    return folder


@pytest.fixture
def bundle(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))
