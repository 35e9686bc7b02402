"""Parameters of a stranger's model ask for nothing that its weights do not hold: refused at once, before memory is taken."""

from __future__ import annotations

import json
import random
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attacks import params, spec
from bare import TASKS, bare_bundle
from safetensors.torch import load, save

from automl import catalog
from automl.bundle.description import parse_model
from automl.bundle.format import MODEL, WEIGHTS
from automl.bundle.load import build_module, load_model
from automl.errors import AutoMLError, StorageError
from automl.messages import Field, Spec
from automl.tasks import load_task
from automl.tasks.cells import take

SECONDS, MEGABYTES = 2.0, 300.0
TRAINING = ("lr", "batch_size", "clip", "class_balance", "embedding", "dim", "grid", "heads", "depth")
"""Parameters that not every default names; a family without one refuses it."""
HUGE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "rocket, mostly changes": ("cylinder_bell_funnel", "rocket", {"changes": 1e6}),
    "rocket, changes beyond all": ("cylinder_bell_funnel", "rocket", {"changes": 1e300}),
    "tabm of many members": ("penguins", "tabm", {"members": 1 << 24}),
    "tabm of many members, below the limit": ("penguins", "tabm", {"members": 1 << 20}),
    "a wide tabm": ("penguins", "tabm", {"width": 1 << 24}),
    "a wide tabm, below the limit": ("penguins", "tabm", {"width": 1 << 20}),
    "a wide realmlp": ("penguins", "realmlp", {"width": 1 << 24}),
    "a wide realmlp, below the limit": ("penguins", "realmlp", {"width": 1 << 20}),
    "trees of great depth": ("wine", "boosted_trees", {"max_depth": 10**6}),
    "many trees of many leaves": ("wine", "boosted_trees", {"rounds": 10**6, "max_leaf_nodes": 10**6}),
    "a wide resnet of many stages": ("digits", "resnet", {"stages": 1 << 22, "width": 1 << 10}),
    "a wide ft_transformer": ("penguins", "ft_transformer", {"width": 1 << 24}),
    "a wide ft_transformer, below the limit": ("penguins", "ft_transformer", {"width": 1 << 20}),
    "a list where a number should be": ("penguins", "resnet_table", {"width": [0] * 1000, "expansion": 1 << 22}),
    "text where a number should be": ("penguins", "resnet_table", {"width": "x" * 1000, "expansion": 1 << 22}),
    "layers without end": ("penguins", "mlp", {"depth": 1 << 24}),
    "layers without end, below the limit": ("penguins", "mlp", {"depth": 1 << 22}),
    "a window of a billion years": ("cylinder_bell_funnel", "linear", {"window": 1e11}),
    "a float beyond all": ("penguins", "mlp", {"dropout": 1e308}),
}


def _peak() -> float:
    """Most memory in MB since `_forget_peak`."""
    (line,) = (one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def _forget_peak() -> float:
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


@pytest.mark.parametrize("name", HUGE)
def test_what_asks_for_more_than_the_weights_hold_is_refused_at_once(tmp_path, name):
    task, family, changes = HUGE[name]
    folder = bare_bundle(tmp_path, task, family)
    params(**changes)(folder)
    began, before = time.monotonic(), _forget_peak()
    with pytest.raises(StorageError):
        load_model(folder)
    assert time.monotonic() - began < SECONDS
    assert _peak() - before < MEGABYTES


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path):
    folder = bare_bundle(tmp_path, "penguins", "ft_transformer")
    params(heads=7)(folder)
    with pytest.raises(StorageError, match="multiple of heads"):
        load_model(folder)


def test_a_network_that_fails_is_a_storage_error(tmp_path):
    model = load_model(bare_bundle(tmp_path, "wine", "mlp"))
    with pytest.raises(StorageError, match="cannot be run"):
        model.outputs(np.zeros((1, 3), dtype=np.float32))


def test_more_stages_than_a_picture_has_halvings_cost_no_time(tmp_path):
    folder = bare_bundle(tmp_path, "digits", "resnet")
    params(stages=1 << 22)(folder)
    began = time.monotonic()
    load_model(folder)
    assert time.monotonic() - began < SECONDS


def test_what_a_family_makes_anew_and_does_not_store_is_no_attack():
    long = Spec((Field("x", "series", (1, 4096)),), (Field("y", "class", ()),), 100, 2, "cross_entropy")
    chosen = {"spectrum": True, "window": 1.0}
    module = catalog.predictor("linear", long, chosen)
    assert build_module("linear", chosen, long, save(module.state_dict()), "here") is not None


def test_a_spec_that_asks_for_more_is_refused_at_once(tmp_path):
    folder = bare_bundle(tmp_path, "sunspots", "rocket")
    spec(outputs=[{"name": "y", "kind": "number", "shape": [1 << 40]}])(folder)
    began, before = time.monotonic(), _forget_peak()
    with pytest.raises(StorageError):
        load_model(folder)
    assert time.monotonic() - began < SECONDS
    assert _peak() - before < MEGABYTES


def _families() -> list[tuple[str, str]]:
    pairs = [(family, TASKS[kind]) for kind in TASKS for family in catalog.families_taking(kind)]
    return pairs + [(family, "sunspots") for family in catalog.families_taking("forecast")]


@pytest.mark.parametrize(("family", "task"), _families())
def test_every_family_is_rebuilt_to_the_bit(tmp_path, family, task):
    folder = bare_bundle(tmp_path, task, family)
    described = parse_model((folder / MODEL).read_bytes(), folder)
    fresh = catalog.predictor(family, described.spec, described.parts[0].params)
    fresh.load_state_dict(load((folder / WEIGHTS).read_bytes()))
    found = load_model(folder).network
    for wanted, made in (
        (fresh.exported().named_buffers(), found.named_buffers()),
        (fresh.exported().named_parameters(), found.named_parameters()),
    ):
        expected, there = dict(wanted), dict(made)
        assert expected.keys() == there.keys()
        assert all(torch.equal(tensor, there[name]) for name, tensor in expected.items())


VALUES: tuple[Any, ...] = (
    10**5,
    10**6,
    1 << 22,
    1 << 24,
    1e6,
    1e11,
    1e308,
    "x" * 99,
    [10**6],
    [10**5] * 3,
    None,
    True,
    -1,
)


def _sweep(root: Path, family: str, task: str, most: int | None) -> None:
    made = bare_bundle(root, task, family)
    rows = load_task(task).read().features
    few = take(rows, np.arange(3)) if not isinstance(rows, np.ndarray) else rows[:3]
    known = json.loads((made / MODEL).read_text())["params"]
    cases = [(name, value) for name in [*known, *TRAINING] for value in VALUES]
    for name, value in cases if most is None else random.Random(family).sample(cases, most):
        changed = Path(shutil.copytree(made, root / "changed", dirs_exist_ok=True))
        params(**{name: value})(changed)
        began, before = time.monotonic(), _forget_peak()
        with suppress(AutoMLError):
            load_model(changed).predict(few)
        assert time.monotonic() - began < SECONDS, (name, value)
        assert _peak() - before < MEGABYTES, (name, value)


@pytest.mark.parametrize("family", ["boosted_trees", "tabm", "resnet", "rocket"])
def test_no_number_of_a_parameter_takes_time_or_memory(tmp_path, family):
    _sweep(tmp_path, family, next(task for one, task in _families() if one == family), most=30)


@pytest.mark.proof
@pytest.mark.parametrize(("family", "task"), _families())
def test_no_value_of_any_parameter_takes_time_or_memory(tmp_path, family, task):
    _sweep(tmp_path, family, task, most=None)
