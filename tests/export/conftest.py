"""What a worker stages, made once from untrained weights of a small network."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import save

from automl import catalog
from automl.data import prepare, spec_for
from automl.messages import Assignment, Member
from automl.tasks import load_task
from automl.worker.exporting import export
from automl.worker.perform import Places


@pytest.fixture(scope="session")
def ready(tmp_path_factory) -> tuple[Assignment, Places]:
    """An export assignment whose weights are there, and where."""
    root = tmp_path_factory.mktemp("wine")
    task = load_task("wine")
    prepared = prepare(task, seed=0, data_folder=root / "data")
    spec = spec_for(task, prepared)
    params = {**catalog.space("mlp").DEFAULT, "width": 8}
    weights = {name: tensor.clone() for name, tensor in catalog.module("mlp", spec, params).state_dict().items()}
    (root / "weights.safetensors").write_bytes(save(weights))
    member = Member(0, 0, 0, "mlp", params, 0, "weights.safetensors")
    assignment = Assignment("export-0-0-0", "export", (member,), spec, prepared.ref, "accuracy", "maximize", 1)
    return assignment, Places(data=root / "data", search=root)


@pytest.fixture(scope="session")
def staged(ready) -> Path:
    """The staging folder; shared, so tests that change files take `staging`."""
    assignment, places = ready
    export(assignment, places)
    return places.search / "staging" / assignment.id


@pytest.fixture
def staging(staged, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(staged, tmp_path / "staging"))
