"""A schema travels as JSON and encodes the same; what does not fit it is refused."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from mixed_rows import ENCODERS, ROWS

from automl.bundle import standalone
from automl.data import Schema
from automl.data.schema_fitting import fit_schema
from automl.encoding import Category, Date, Number, Text
from automl.errors import DataError
from automl.tasks import Rows, Task, load_task


def test_encoders_travel_as_json_and_encode_the_same_in_any_order_of_columns() -> None:
    schema = Schema("t", "regression", "table", "y", ENCODERS)
    again = Schema.from_json(schema.to_json())
    assert again == schema
    encoded = schema.encode(ROWS)
    assert encoded.shape == (3, *schema.shape)
    assert encoded.dtype == np.float32
    assert np.array_equal(encoded, again.encode(dict(reversed(ROWS.items()))))
    assert np.array_equal(encoded, again.encode(pd.DataFrame(ROWS)))


def test_a_fingerprint_tells_how_rows_are_encoded_and_not_why() -> None:
    schema = Schema("t", "regression", "table", "y", ENCODERS)
    assert dataclasses.replace(schema, why={"k": "as you said"}).fingerprint == schema.fingerprint
    assert dataclasses.replace(schema, encoders=ENCODERS[:-1]).fingerprint != schema.fingerprint
    assert dataclasses.replace(schema, unused={"id": "an id"}).fingerprint != schema.fingerprint


def test_a_bad_cell_of_new_rows_is_a_data_error_with_its_row() -> None:
    schema = Schema("t", "regression", "table", "y", ENCODERS)
    with pytest.raises(
        DataError, match=r"column 'k', row 2: 'inf' is not a finite number. Correct it, or leave it empty"
    ):
        schema.encode({**ROWS, "k": np.array([0.0, np.inf, 0.0])})


def test_a_target_far_from_those_of_training_stays_finite() -> None:
    schema = Schema("t", "regression", "table", "y", ENCODERS, target_mean=0.0, target_scale=1e-9)
    assert np.isfinite(schema.encode_target(np.array([1e90, -1e90, 0.0]))).all()


@pytest.mark.parametrize("spelling", ["$", "x", ". very long", ".\0" * 9])
def test_a_spelling_that_is_none_is_refused(spelling: str) -> None:
    document = json.loads(Schema("t", "regression", "table", "y", ENCODERS).to_json())
    document["encoders"] = [{"kind": "number", **dataclasses.asdict(Number("n", spelling=spelling))}]
    with pytest.raises(DataError):
        Schema.from_json(json.dumps(document))


def test_a_schema_of_before_keeps_its_text_and_so_its_hash():
    encoders = (Date("d", ("iso",)), Category("c", ("a",)), Text("t", ("a",), (1.0,), ((1.0,),)))
    text = Schema("t", "regression", "table", "y", encoders).to_json()
    assert not any(f'"{later}"' in text for later in ("utc", "rated", "rates", "scores", "logarithmic"))
    assert Schema.from_json(text).to_json() == text


def test_a_target_that_is_learned_by_its_logarithm_comes_back_and_is_never_below_0() -> None:
    schema = Schema("t", "regression", "table", "y", ENCODERS, target_mean=5.8, target_scale=2.2, logarithmic=True)
    again = Schema.from_json(schema.to_json())
    giants = np.array([0.0, 6.0, 239.0, 6_708_445.0])
    np.testing.assert_allclose(again.decode(again.encode_target(giants)), giants, rtol=1e-5, atol=1e-5)
    assert again.decode(np.array([-1e6])).tolist() == [0.0]
    assert np.isfinite(again.decode(np.array([1e6])) ** 2).all()
    np.testing.assert_array_equal(
        standalone.decode(json.loads(schema.to_json()), np.array([-9.0, 0.1, 1e6])),
        again.decode(np.array([-9.0, 0.1, 1e6])),
    )
    document = json.loads(schema.to_json()) | {"kind": "classification", "labels": ["a", "b"]}
    with pytest.raises(DataError):
        Schema.from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("metric", "target", "learns"),
    [
        ("rmsle", "even", True),
        ("rmsle", "negative", False),
        ("rmse", "giants", False),
        ("mae", "giants", True),
        ("mape", "giants", True),
        ("mae", "even", False),
        ("mae", "spikes", False),
        ("mae", "negative", False),
    ],
)
def test_the_metric_and_the_target_decide_whether_its_logarithm_is_learned(
    metric: str, target: str, learns: bool
) -> None:
    drawn = np.random.default_rng(0).normal(size=200)
    told = {"even": drawn + 5, "negative": np.exp(3 * drawn) - 0.5, "giants": np.exp(3 * drawn)}.get(
        target, (drawn > 1.7) * 1.0
    )
    rows = Rows(np.zeros((200, 1)), ("x",), told)
    task = Task("t", "t", "regression", "table", "y", ((metric, "minimize"),), lambda: rows, "drawn")
    schema = fit_schema(rows, np.arange(150), task)
    assert schema.logarithmic is learns
    if learns:
        assert abs(schema.encode_target(told[:150]).mean()) < 1e-6


def test_a_forecasts_target_is_scaled_by_the_windows_that_its_encoder_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = load_task("sunspots")
    rows = task.read()
    monkeypatch.setattr("automl.data.schema_fitting._FEWEST_ROWS", 10)
    monkeypatch.setattr("automl.data.schema_fitting._MOST_NUMBERS", 50 * rows.features.shape[1])
    schema = fit_schema(rows, np.arange(len(rows) // 2), task)
    assert schema.target_scale > 0
