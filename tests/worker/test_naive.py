"""Baselines of forecasts, and what measures and tests make of predictions of several steps."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from exported import assigned, compared

from automl.data import KNOWN, load_part, load_raw_test, prepare
from automl.encoding import Forecast
from automl.messages import DataRef
from automl.report.quality import residuals
from automl.report.scored import Scored
from automl.tasks import Choices, load_task
from automl.tasks.metrics import measure
from automl.winner.ensemble import select
from automl.winner.sealed import bootstrap, paired_difference, read_scores
from automl.worker.hardest import hardest
from automl.worker.naive import forecast_baselines
from automl.worker.scoring import _as_long, score

RNG = np.random.default_rng(0)


def test_the_last_season_beats_the_last_value_and_a_line_sees_the_trend(tmp_path: Path) -> None:
    at = np.arange(240)
    y = at / 20 + np.tile(RNG.normal(0, 5, 6), 40) + RNG.normal(0, 0.1, 240)
    pd.DataFrame({"t": at, "y": y}).to_csv(tmp_path / "d.csv", index=False)
    task = load_task(str(tmp_path / "d.csv"), Choices("y", "forecast", time_column="t", horizon=9))
    prepared = prepare(task, seed=0, data_folder=tmp_path)
    ref = DataRef(prepared.ref.key, prepared.ref.content, ("train", "validation", "test"))
    known, test = (load_part(tmp_path, ref, part) for part in (KNOWN, "test"))
    raw = load_raw_test(tmp_path, ref)
    found = forecast_baselines(prepared.schema, known, test.inputs, test.units, raw)
    target = prepared.schema.decode(test.target, test.units)
    assert list(found) == ["last_value", "seasonal_naive", "linear"]
    steps = prepared.schema.shape[1]
    assert np.allclose(found["last_value"], np.asarray(raw)[:, [steps - 1]])
    assert np.allclose(found["seasonal_naive"], np.asarray(raw)[:, steps - 6 :][:, np.arange(9) % 6])
    value, season, line = (measure("mae", target, one) for one in found.values())
    assert line < 0.3 < season < value


def forecasts() -> tuple[np.ndarray, np.ndarray]:
    target = RNG.normal(size=(40, 3))
    prediction = target + RNG.normal(0, 0.5, size=target.shape)
    target[0] = [np.nan, 1.0, np.nan]
    return target, prediction


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2", "mape", "pinball"])
def test_each_known_step_counts_alike(metric: str) -> None:
    target, prediction = forecasts()
    known = ~np.isnan(target)
    assert measure(metric, target, prediction) == measure(metric, target[known], prediction[known])
    assert np.isnan(measure(metric, target, np.full_like(prediction, np.nan)))


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2"])
def test_a_window_is_resampled_whole(metric: str) -> None:
    target, prediction = forecasts()
    found = bootstrap(metric, target, prediction, seed=0)
    assert found.low < found.value < found.high
    worse = prediction + 2.0
    gain = paired_difference(metric, target, worse, prediction, seed=0)
    assert gain.value * gain.low > 0 < gain.value * gain.high
    steps_alike = np.repeat(target[1:, :1], 3, axis=1), np.repeat(prediction[1:, :1], 3, axis=1)
    whole, single = bootstrap("mae", *steps_alike, seed=0), bootstrap("mae", target[1:, 0], prediction[1:, 0], seed=0)
    assert (whole.low, whole.high) == pytest.approx((single.low, single.high))


def test_an_ensemble_of_forecasts_can_be_chosen() -> None:
    target, prediction = forecasts()
    other = np.nan_to_num(target) + RNG.normal(0, 0.5, size=target.shape)
    found = select("mae", "minimize", target, [prediction, other], seed=0)
    assert sum(found.weights) == pytest.approx(1.0)
    assert found.held_out.shape == target.shape


def test_the_worst_windows_and_residuals_of_forecasts_are_shown(tmp_path: Path) -> None:
    target, prediction = forecasts()
    prediction[7] += 10
    task = load_task("sunspots")
    schema = prepare(task, seed=0, data_folder=tmp_path).schema
    inputs = RNG.normal(size=(40, *schema.shape)).astype(np.float32)
    kept = hardest(schema, inputs, inputs.reshape(40, -1), target, prediction)
    assert kept["rows"][0] == 7
    scored = Scored(target, prediction, (), kept)
    assert "in the mean of 3 steps" in scored.examples()[0].note
    assert all("svg" in figure for figure in residuals(scored))


@pytest.mark.parametrize(("theirs", "first"), [(2, 2.0), (5, np.nan)])
def test_a_champion_that_reads_another_number_of_steps_is_given_as_many(theirs: int, first: float) -> None:
    def schema(steps: int) -> SimpleNamespace:
        return SimpleNamespace(encoders=(Forecast(("y",), steps=steps, horizon=1),))

    rows = _as_long(schema(theirs), schema(3), np.array([[1.0, 2.0, 3.0]]))  # type: ignore[arg-type]
    assert np.asarray(rows).shape == (1, theirs)
    assert np.array_equal(np.asarray(rows)[0, [0, -1]], [first, 3.0], equal_nan=True)


def test_a_score_keeps_when_each_window_is_and_a_search_of_before_has_none(tmp_path: Path) -> None:
    assignment, places = assigned(tmp_path, "sunspots", family="tcn")
    (outcome,) = score(compared(assignment, places), places)
    path = tmp_path / outcome.artifacts["predictions"].path
    found = read_scores(path)
    assert list(found.predictions) == ["model", "last_value", "seasonal_naive", "linear"]
    assert found.clusters is not None
    begun, ended, series = found.clusters.T
    assert len(begun) == len(found.target)
    assert (ended - begun == assignment.spec.output_size - 1).all()  # years
    assert set(series) == {0}
    with np.load(path) as archive:
        np.savez(tmp_path / "before.npz", **{name: archive[name] for name in archive.files if name != "clusters"})
    assert read_scores(tmp_path / "before.npz").clusters is None
