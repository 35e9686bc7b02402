"""A forecast with columns that are known ahead is predicted from rows for the future, in every form of the model."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from exported import assigned, bundled

from automl.bundle import load_model, predict_file, predict_frame, standalone
from automl.bundle.format import read_manifest
from automl.errors import DataError
from automl.messages import DataRef
from automl.tasks import Choices, load_task
from automl.tracking.signature import example
from automl.worker.scoring import score

CHOICES = Choices("y", "forecast", id="who", time_column="day", horizon=3, known=("price",))


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    cells = {"day": np.arange(60), "price": rng.integers(0, 9, 60), "y": rng.normal(size=60), "x": rng.normal(size=60)}
    return pd.concat([pd.DataFrame({"who": who, **cells}) for who in "ab"], ignore_index=True)


def _future(frame: pd.DataFrame) -> pd.DataFrame:
    """The last three steps of each series are still to come: only price is known."""
    return frame.assign(**{name: frame[name].where(frame["day"] < 57) for name in ("y", "x")})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ahead")
    _frame().to_csv(root / "rows.csv", index=False)
    bundled(root, load_task(str(root / "rows.csv"), CHOICES), family="tcn")
    return root / "staging" / "export-0-0-0"


def _predicted(bundle: Path, frame: pd.DataFrame) -> np.ndarray:
    frame.to_csv(bundle.parent / "new.csv", index=False)
    stream = io.StringIO()
    predict_file(bundle, bundle.parent / "new.csv", stream, lambda text: None)
    header, *rows = csv.reader(io.StringIO(stream.getvalue()))
    assert header == ["who", "step", "prediction"]
    assert [row[:2] for row in rows] == [[who, str(step)] for who in "ab" for step in (1, 2, 3)]
    return np.array([float(row[2]) for row in rows])


def test_file_frame_and_exported_network_agree_and_the_future_price_counts(made: Path) -> None:
    rows = _future(_frame())
    found = _predicted(made, rows)
    assert predict_frame(load_model(made), rows)["prediction"].tolist() == found.tolist()
    cells = {name: rows[name].to_numpy(dtype=object if rows[name].dtype != float else None) for name in rows}
    assert np.allclose(standalone.load(made)(cells).ravel(), found, rtol=1e-5, atol=1e-5)
    dearer = rows.assign(price=rows["price"].where(rows["day"] < 59, 50))
    assert not np.allclose(_predicted(made, dearer), found)
    unknown = rows.assign(x=rows["x"].where(rows["day"] < 57, 50.0))  # what is not known ahead is not read ahead
    assert np.array_equal(_predicted(made, unknown), found)


def test_rows_beyond_the_horizon_change_nothing(made: Path) -> None:
    rows = _future(_frame())
    more = pd.DataFrame({"who": ["a", "b"], "day": 60, "price": 77})
    assert np.array_equal(_predicted(made, pd.concat([rows, more])), _predicted(made, rows))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (_frame(), "rows go on for 0 steps after the last known 'y' of 'a', but 3 are predicted. Give a row for each, with 'price'"),
        (_future(_frame())[lambda f: f["day"] < 59], "rows go on for 2 steps after the last known 'y' of 'a'"),
        (_future(_frame()).assign(y=np.nan), "column 'y' of 'a' is empty. Give its past."),
        (_future(_frame())[lambda f: f["day"] > 50], "the history of 'a' has 6 steps, but the last 16 are read. Give more of its"),
        (_future(_frame()).drop(columns="price"), "column 'price' not found"),
    ],
)  # fmt: skip
def test_a_future_that_is_not_given_is_refused(made: Path, rows: pd.DataFrame, words: str) -> None:
    with pytest.raises(DataError) as caught:
        _predicted(made, rows)
    assert words in str(caught.value)


def test_mlflows_example_has_rows_for_the_future(made: Path) -> None:
    rows = example(made, read_manifest(made))
    assert len(rows) == 16 + 3
    assert len(predict_frame(load_model(made), rows)) == 3


def test_a_champion_that_knew_other_columns_ahead_is_not_scored(tmp_path: Path, made: Path) -> None:
    _frame().to_csv(tmp_path / "rows.csv", index=False)
    task = load_task(str(tmp_path / "rows.csv"), replace(CHOICES, known=()))
    assignment, places = assigned(tmp_path, task, family="tcn")
    ref = DataRef(assignment.data.key, assignment.data.content, ("train", "validation", "test"))
    (tmp_path / "champion").symlink_to(made)
    (outcome,) = score(replace(assignment, kind="score", data=ref, champion="champion"), places)
    assert "other columns" in outcome.reason
