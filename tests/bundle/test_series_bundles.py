"""A bundle of series predicts one row per series, and the same numbers from a file, a frame and without us."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from exported import bundled

from automl.bundle import load_model, predict_file, predict_frame, standalone
from automl.bundle.format import read_manifest
from automl.errors import DataError
from automl.tasks import Choices, load_task
from automl.tracking.signature import example, signature

RNG = np.random.default_rng(0)


def _frame(kind: str) -> pd.DataFrame:
    if kind == "wide":
        waves = np.sin(np.arange(20) / 3 + RNG.uniform(0, 6, (40, 1)))
        return pd.DataFrame(waves, columns=[f"t{step}" for step in range(20)]).assign(y=np.arange(40) % 2)
    days = pd.date_range("2024-01-01", periods=60).strftime("%d.%m.%Y")
    parts = [
        pd.DataFrame({"who": f"s{place}", "day": days, "x": RNG.normal(size=60), "y": place % 2}) for place in range(24)
    ]
    frame = pd.concat(parts).sample(frac=0.97, random_state=0)
    return frame.assign(y=RNG.normal(size=len(frame))) if kind == "forecast" else frame


CHOICES = {
    "wide": Choices("y"),
    "long": Choices("y", id="who", time_column="day"),
    "forecast": Choices("y", "forecast", id="who", time_column="day", horizon=3),
}


@pytest.fixture(scope="module", params=list(CHOICES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle and the file that it was trained on, `rows.csv`, below one folder."""
    root = tmp_path_factory.mktemp(kind)
    _frame(kind).to_csv(root / "rows.csv", index=False)
    bundled(root, load_task(str(root / "rows.csv"), CHOICES[kind]), family="tcn")
    return root


def _bundle(root: Path) -> Path:
    return root / "staging" / "export-0-0-0"


def _predicted(root: Path, file: str = "rows.csv") -> list[list[str]]:
    stream = io.StringIO()
    predict_file(_bundle(root), root / file, stream, lambda text: None)
    return list(csv.reader(io.StringIO(stream.getvalue())))


def test_a_file_gives_a_prediction_per_series_or_step(made: Path, kind: str) -> None:
    header, *rows = _predicted(made)
    wanted = {"wide": ["prediction", "p_0", "p_1"], "long": ["who", "prediction", "p_0", "p_1"]}
    assert header == wanted.get(kind, ["who", "step", "prediction"])
    assert len(rows) == {"wide": 40, "long": 24, "forecast": 72}[kind]
    if kind != "wide":
        assert [row[0] for row in rows][:: len(rows) // 24] == list(
            dict.fromkeys(pd.read_csv(made / "rows.csv")["who"])
        )


def test_a_frame_and_the_exported_network_give_the_same_numbers(made: Path, kind: str) -> None:
    frame = pd.read_csv(made / "rows.csv")
    header, *rows = _predicted(made)
    found, importable = predict_frame(load_model(_bundle(made)), frame), list(sys.path)
    assert list(found.columns) == header
    assert found["prediction"].astype(str).tolist() == [row[header.index("prediction")] for row in rows]
    without_us = standalone.load(_bundle(made))(
        {name: frame[name].to_numpy(dtype=object if frame[name].dtype != float else None) for name in frame}
    )
    assert sys.path == importable  # a file beside the script must hide no library
    numbers = found[[name for name in header if name.startswith("p_")] or ["prediction"]].to_numpy()
    assert np.allclose(without_us.reshape(numbers.shape), numbers, rtol=1e-5, atol=1e-5)


def test_mlflow_is_told_the_columns_and_given_an_example_that_can_be_predicted(made: Path) -> None:
    model, manifest = load_model(_bundle(made)), read_manifest(_bundle(made))
    rows = example(_bundle(made), manifest)
    given = signature(_bundle(made), manifest)
    found = predict_frame(model, rows)
    assert list(rows.columns) == given.inputs.input_names() == list(model.schema.columns)
    assert list(found.columns) == given.outputs.input_names()
    assert len(found) == (model.schema.horizon or 1)


def test_rows_that_do_not_fit_are_refused_with_column_and_row(made: Path, kind: str) -> None:
    frame = pd.read_csv(made / "rows.csv")
    column = "t3" if kind == "wide" else "x"
    frame.drop(columns=column).to_csv(made / "less.csv", index=False)
    with pytest.raises(DataError, match=f"less.csv: column '{column}' not found"):
        _predicted(made, "less.csv")
    frame.assign(**{column: ["much", *frame[column][1:].astype(str)]}).to_csv(made / "words.csv", index=False)
    with pytest.raises(DataError, match=f"words.csv: column '{column}', row 1: 'much' is not a finite number"):
        _predicted(made, "words.csv")
    if kind == "wide":
        return
    pd.concat([frame, frame[:1]]).to_csv(made / "twice.csv", index=False)
    with pytest.raises(DataError, match=rf"twice.csv: column 'day', row {len(frame) + 1}: .* is not a time of its own"):
        _predicted(made, "twice.csv")
    if kind == "forecast":
        frame[:30].to_csv(made / "short.csv", index=False)
        with pytest.raises(
            DataError, match=r"short.csv: the history of 's\d+' has \d+ steps, but the last 16 are read"
        ):
            _predicted(made, "short.csv")


def test_a_file_is_predicted_from_that_was_trained_on_over_the_change_of_the_clocks(tmp_path: Path) -> None:
    hours = pd.date_range("2013-10-30", periods=200, freq="h", tz="America/New_York")
    frame = pd.DataFrame({"when": hours.map(str), "y": np.sin(np.arange(200) * np.pi / 12)})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    task = load_task(str(tmp_path / "rows.csv"), Choices("y", "forecast", time_column="when", horizon=2))
    bundled(tmp_path, task, family="tcn")
    stream = io.StringIO()
    predict_file(_bundle(tmp_path), tmp_path / "rows.csv", stream, lambda text: None)
    assert stream.getvalue().startswith("step,prediction\n1,")
