"""Whoever made a bundle can put anything into any field of its JSON, and sign it: what we then say is one of our errors."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attacks import edit, listed, sign
from bare import bare_bundle

from automl.bundle.format import MANIFEST, MODEL, SCHEMA
from automl.bundle.load import load_model
from automl.encoding import Raw
from automl.errors import AutoMLError, StorageError
from automl.tasks import load_task
from automl.tasks.cells import take

SAMPLES = {"penguins": "mlp", "sunspots": "rnn", "digits": "cnn", "docstrings": "text_cnn"}
MISSING = object()
INSTEAD: tuple[Any, ...] = (
    MISSING, None, True, -1, 0, 7, 1.5, 1e308, 1e-320, 2**31, 1 << 24, 10**20, 10**4000, "", "x", "../x", "\ud800",
    "a\x1b[2J\n\u202e", "A" * 100_000, [], [None], [[]], ["a", "a"], [10**9], [1e308, 1e308], {}, {"a": 1}, {"a": None},
)  # fmt: skip
QUICK = 40
"""Changes of each sample's file that are tried each time; all of them are a proof."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("samples")
    return {task: bare_bundle(root, task, family) for task, family in SAMPLES.items()}


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Each field, and of each list the first item."""
    if path:
        yield path
    items = (
        document.items()
        if isinstance(document, dict)
        else list(enumerate(document))[:1]
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        yield from _places(value, (*path, key))


def _changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


def _try(folder: Path, member: str, whole: str, path: tuple[Any, ...], value: Any, rows: Raw | None) -> None:
    text = json.dumps(_changed(json.loads(whole), path, value))
    if member == MANIFEST:
        body = json.loads(text)
        with suppress(ValueError):  # what has no spelling is no manifest to begin with
            listed(lambda ours: ours.update(body) or [ours.pop(key) for key in ours.keys() - body.keys()])(folder)
    else:
        (folder / member).write_text(text)
        sign(folder)
    try:
        with suppress(AutoMLError):
            model = load_model(folder)
            if rows is not None:
                model.predict(rows)
    except Exception as error:
        pytest.fail(f"{type(error).__name__} for {member} {'.'.join(map(str, path))} = {value!r:.60}: {error!s:.200}")


def _sweep(folder: Path, *, most: int | None, rows: Raw | None = None) -> int:
    count = 0
    for member in (MODEL, SCHEMA, MANIFEST):
        before = (folder / MANIFEST).read_bytes()
        whole = (folder / member).read_text()
        cases = [(path, value) for path in _places(json.loads(whole)) for value in INSTEAD]
        for path, value in cases if most is None else random.Random(member).sample(cases, most):
            _try(folder, member, whole, path, value, rows)
            (folder / MANIFEST).write_bytes(before)
            count += 1
        (folder / member).write_text(whole)
        (folder / MANIFEST).write_bytes(before)
    load_model(folder)  # as it was
    return count


@pytest.mark.parametrize("task", SAMPLES)
def test_no_field_of_a_bundle_raises_anything_but_our_errors(samples, task):
    assert _sweep(samples[task], most=QUICK) == 3 * QUICK


@pytest.mark.proof
@pytest.mark.parametrize("task", SAMPLES)
def test_no_value_of_any_field_raises_anything_but_our_errors_not_even_by_predicting(samples, task):
    rows = load_task(task).read().features
    few = rows[:3] if isinstance(rows, np.ndarray) else take(rows, np.arange(3))
    assert _sweep(samples[task], most=None, rows=few) > 1000


@pytest.mark.parametrize("value", [None, True, -1, "x", [1]])
@pytest.mark.parametrize("field", ["unused", "gaps", "why", "encoders", "labels"])
def test_a_schema_field_of_another_kind_is_refused(samples, field, value):
    _refused(samples["penguins"], SCHEMA, lambda document: {**document, field: value})


@pytest.mark.parametrize("shape", [[], [8], [8, "a", 8], [1, 8.0, 8], "188", None])
def test_a_picture_of_no_size_is_refused(samples, shape):
    _refused(
        samples["digits"],
        SCHEMA,
        lambda document: {**document, "encoders": [{**document["encoders"][0], "shape": shape}]},
    )


@pytest.mark.parametrize(
    "outputs",
    [[], None, [{}], [{"name": "y", "kind": "steps", "shape": ["a"]}], [{"name": "y", "kind": "steps", "shape": [-1]}]],
)
def test_a_forecast_of_no_steps_is_refused(samples, outputs):
    _refused(
        samples["sunspots"], MODEL, lambda document: {**document, "spec": {**document["spec"], "outputs": outputs}}
    )


@pytest.mark.parametrize("member", [MODEL, SCHEMA])
def test_text_that_no_file_can_hold_is_refused(samples, member):
    _refused(
        samples["penguins"], member, lambda document: {**document, "task" if member == SCHEMA else "family": "\ud800"}
    )


def _refused(sample: Path, member: str, change: Any) -> None:
    content = {name: (sample / name).read_bytes() for name in (member, MANIFEST)}
    edit(member, change)(sample)
    try:
        with pytest.raises(StorageError):
            load_model(sample)
    finally:
        for name, before in content.items():
            (sample / name).write_bytes(before)
