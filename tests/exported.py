"""What a search would export, made from untrained weights of a small network: an assignment, and a bundle of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from safetensors.torch import save

from automl import catalog
from automl.bundle.format import CARD, MANIFEST, Facts, make_manifest
from automl.data import prepare, spec_for
from automl.messages import Assignment, Member
from automl.tasks import load_task
from automl.worker.exporting import export
from automl.worker.perform import Places


def assigned(root: Path, name: str = "wine") -> tuple[Assignment, Places]:
    """An export assignment whose weights are there, and where."""
    task = load_task(name)
    prepared = prepare(task, seed=0, data_folder=root / "data")
    spec = dataclasses.replace(spec_for(task, prepared), max_resource=1)
    params = {**catalog.space("mlp").DEFAULT, "width": 8}
    weights = {name: tensor.clone() for name, tensor in catalog.module("mlp", spec, params).state_dict().items()}
    (root / "weights.safetensors").write_bytes(save(weights))
    member = Member(0, 0, 0, "mlp", params, 0, "weights.safetensors")
    assignment = Assignment("export-0-0-0", "export", (member,), spec, prepared.ref, task.metric, task.direction, 1)
    return assignment, Places(data=root / "data", search=root)


def bundled(root: Path, name: str = "wine", **facts: object) -> Path:
    """A bundle's folder."""
    assignment, places = assigned(root, name)
    export(assignment, places)
    folder = root / "staging" / assignment.id
    (folder / CARD).write_text("# a card")
    known = Facts(
        name, "mlp", f"{name}-0", 0, 0, assignment.metric, assignment.direction, {"test": 0.5}, assignment.data.content
    )
    (folder / MANIFEST).write_bytes(make_manifest(folder, dataclasses.replace(known, **facts)))
    return folder
