"""Prepared series and forecasts: what a model is given, what it is asked, and which part a window belongs to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data import Schema, load_part, load_schema, prepare, spec_for
from automl.encoding import (
    Forecast,
    encode,
    gathered,
    units,
)
from automl.errors import DataError
from automl.tasks import Choices, Task, load_task

RNG = np.random.default_rng(0)


def monthly(folder: Path, rows: int = 200, horizon: int = 6) -> Task:
    at = np.arange(rows)
    months = pd.date_range("2001-01-01", periods=rows, freq="MS").strftime("%Y-%m-%d")
    y = 50 + at / 4 + 5 * np.sin(at / 12 * 2 * np.pi) + RNG.normal(0, 0.3, rows)
    pd.DataFrame({"when": months, "y": y}).to_csv(folder / "m.csv", index=False)
    return load_task(str(folder / "m.csv"), Choices("y", "forecast", time_column="when", horizon=horizon))


def test_training_ends_before_validation_begins_and_that_before_the_test(tmp_path: Path) -> None:
    task = monthly(tmp_path)
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    values = pd.read_csv(tmp_path / "m.csv")["y"].to_numpy()
    spans = {}
    for part in ("train", "validation", "test"):
        ref = type(prepared.ref)(prepared.ref.key, prepared.ref.content, (part,))
        arrays, schema = load_part(tmp_path, ref, part), load_schema(tmp_path, ref)
        decoded = schema.decode(arrays.target, arrays.units)
        places = np.abs(values[:, None] - decoded.ravel()).argmin(axis=0)
        assert np.allclose(values[places], decoded.ravel(), atol=1e-4)
        spans[part] = places.min(), places.max()
    assert spans["train"][1] < spans["validation"][0] <= spans["validation"][1] < spans["test"][0]
    assert spans["test"][1] == len(values) - 1
    assert prepared.summary.total < len(task.read())


def test_a_forecasts_spec_and_schema_say_how_far_it_goes(tmp_path: Path) -> None:
    task = monthly(tmp_path)
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    spec = spec_for(task, prepared)
    assert (spec.output_size, spec.classes, spec.loss, spec.is_forecast) == (6, 0, "mae", True)
    again = Schema.from_json(prepared.schema.to_json())
    assert again == prepared.schema
    rows = task.read().array()[:3]
    assert np.array_equal(encode(again.encoders, rows), prepared.schema.encode(rows))
    target = task.read().target[:3]
    told = units(again.encoders, gathered(again.encoders, rows)[1])
    assert np.allclose(again.decode(again.encode_target(target, told), told), target, atol=1e-4)


def test_a_schema_that_knows_nothing_ahead_is_spelled_as_before(tmp_path: Path) -> None:
    schema = prepare(monthly(tmp_path), seed=0, data_folder=tmp_path).schema
    assert "ahead" not in schema.to_json()
    first = dataclasses.replace(schema.encoders[0], columns=("y", "p"), ahead=("p",), ahead_scales=(2.0,))  # type: ignore[call-arg]
    known = dataclasses.replace(schema, encoders=(first,))
    assert Schema.from_json(known.to_json()) == known
    assert known.fingerprint != schema.fingerprint
    for wrong in ('"ahead_scales": [\n    -2.0', '"ahead_scales": ['):
        text = known.to_json().replace('"ahead_scales": [\n    2.0', wrong)
        with pytest.raises(DataError, match="cannot be read"):
            Schema.from_json(text)


def test_what_is_known_ahead_has_one_scale_for_all_windows(tmp_path: Path) -> None:
    at = np.arange(150)
    cells = {"t": at, "y": RNG.normal(size=150), "flag": (at % 50 == 0).astype(int), "still": 3}
    pd.DataFrame(cells).to_csv(tmp_path / "d.csv", index=False)
    said = Choices("y", "forecast", time_column="t", horizon=4, known=("flag",))
    prepared = prepare(load_task(str(tmp_path / "d.csv"), said), seed=0, data_folder=tmp_path)
    form = prepared.schema.encoders[0]
    assert isinstance(form, Forecast)
    assert form.ahead == ("flag",)
    assert 0.05 < form.ahead_scales[0] < 0.3
    assert prepared.schema.ahead == ("flag",)
