"""A bundle of only what is loaded, from untrained weights and without a second of `torch.export`: any family, any packaged task."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from attacks import sign
from safetensors.torch import save

from automl import catalog
from automl.bundle.description import Description, Part
from automl.bundle.format import MODEL, SCHEMA, WEIGHTS
from automl.data import load_schema, prepare, spec_for
from automl.messages import Spec
from automl.tasks import load_task

TASKS = {
    "table": "penguins",
    "vector": "wine",
    "image": "digits",
    "text": "docstrings",
    "series": "cylinder_bell_funnel",
}
"""A packaged task for each kind of input."""


def bare_bundle(root: Path, task: str, family: str) -> Path:
    """Write a signed bundle into `root` and return its folder; nothing of it is shared."""
    files, spec = _prepared(task)
    params = dict(catalog.space(family).DEFAULT)
    state = {name: one.clone() for name, one in catalog.predictor(family, spec, params).state_dict().items()}
    folder = root / f"{task}-{family}"
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(save(state))
    (folder / MODEL).write_bytes(Description((Part(family, params),), spec).to_json())
    (folder / SCHEMA).write_text(files)
    sign(folder)
    return folder


@cache
def _prepared(name: str) -> tuple[str, Spec]:
    task, folder = load_task(name), Path(mkdtemp(prefix="bare-"))
    prepared = prepare(task, seed=0, data_folder=folder)
    spec = dataclasses.replace(spec_for(task, prepared), max_resource=1)
    return load_schema(folder, prepared.ref).to_json(), spec
