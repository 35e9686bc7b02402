"""What a search would export, made from untrained weights of a small network: an assignment, and a bundle of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save

from automl import catalog
from automl.bundle.format import CARD, MANIFEST, Facts, make_manifest
from automl.data import TEST_INPUTS, prepare, spec_for
from automl.messages import Assignment, Member
from automl.tasks import Task, load_task
from automl.worker.baselines import predict_baselines
from automl.worker.exporting import export
from automl.worker.perform import Places


def assigned(
    root: Path,
    name: str | Task = "wine",
    *,
    family: str = "mlp",
    shares: Sequence[float] = (1.0,),
    temperature: float = 1.0,
    threshold: float = 0.5,
) -> tuple[Assignment, Places]:
    """An export assignment whose weights are there, and where: a network per share, each wider than the one before."""
    task = load_task(name) if isinstance(name, str) else name
    prepared = prepare(task, seed=0, data_folder=root / "data")
    spec = dataclasses.replace(spec_for(task, prepared), max_resource=1)
    members = []
    for place, share in enumerate(shares):
        params = {**catalog.space(family).DEFAULT, "width": 8 + place}
        weights = {name: tensor.clone() for name, tensor in catalog.module(family, spec, params).state_dict().items()}
        path = root / (f"weights-{place}.safetensors" if place else "weights.safetensors")
        path.write_bytes(save(weights))
        members.append(Member(place, 0, 0, family, params, 0, path.name, weight=share))
    assignment = Assignment(
        "export-0-0-0", "export", tuple(members), spec, prepared.ref, task.metric, task.direction, 1,
        temperature=temperature, thresholds={"model": threshold},
    )  # fmt: skip
    return assignment, Places(data=root / "data", search=root)


def compared(assignment: Assignment, places: Places) -> Assignment:
    """The score that follows an export: the test part is granted, and baselines were fitted."""
    data = dataclasses.replace(assignment.data, parts=("train", "validation", TEST_INPUTS))
    fitting = dataclasses.replace(assignment, id="baselines-0-0-0", kind="baselines", data=data)
    (outcome,) = predict_baselines(fitting, places)
    granted = dataclasses.replace(data, parts=("train", "validation", "test"))
    found = outcome.artifacts["predictions"].path
    return dataclasses.replace(assignment, id="score-0-0-0", kind="score", data=granted, baselines=found)


def bundled(
    root: Path, name: str | Task = "wine", *, family: str = "mlp", threshold: float = 0.5, **facts: object
) -> Path:
    """A bundle's folder."""
    assignment, places = assigned(root, name, family=family, threshold=threshold)
    export(assignment, places)
    folder = root / "staging" / assignment.id
    (folder / CARD).write_text("# a card")
    called = name if isinstance(name, str) else name.name
    known = Facts(
        called,
        family,
        f"{called}-0",
        0,
        0,
        assignment.metric,
        assignment.direction,
        {"test": 0.5},
        assignment.data.content,
    )
    (folder / MANIFEST).write_bytes(make_manifest(folder, dataclasses.replace(known, **facts)))
    return folder
