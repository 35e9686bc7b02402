"""`--test FILE` for series: whole series of a second file, or the steps that follow those a forecast learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data import load_part, prepare
from automl.encoding import Forecast
from automl.errors import ConfigError, DataError
from automl.messages import DataRef
from automl.tasks import Choices, Task, load_again, load_task

RNG = np.random.default_rng(0)
FORECAST = {"kind": "forecast", "horizon": 3, "time_column": "day"}


def loaded(folder: Path, train: pd.DataFrame, test: pd.DataFrame, name: str = "test.csv", **choices: object) -> Task:
    train.to_csv(folder / "train.csv", index=False)
    test.to_parquet(folder / name) if name.endswith("parquet") else test.to_csv(folder / name, index=False)
    said = {"target": "y", "test": str(folder / name), **choices}
    return load_task(str(folder / "train.csv"), Choices(**said))  # type: ignore[arg-type]


def long(first: int, ids: int) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"id": f"s{place}", "t": np.arange(20), "a": place + RNG.normal(size=20), "y": "ab"[place % 2]})
        for place in range(first, first + ids)
    ]
    return pd.concat(parts).sample(frac=1, random_state=0).reset_index(drop=True)


def daily(first: int, rows: int, **more: object) -> pd.DataFrame:
    days = pd.date_range("2024-01-01", periods=first + rows).strftime("%d.%m.%Y")[first:]
    return pd.DataFrame({"day": days, "y": np.arange(first, first + rows) + 0.25, **more})


def of_test(task: Task) -> tuple[np.ndarray, np.ndarray]:
    rows = task.read()
    assert rows.test is not None
    return rows.array()[rows.test], rows.target[rows.test]


def test_series_of_the_second_file_are_the_test_part(tmp_path: Path) -> None:
    test = long(100, 12)
    task = loaded(
        tmp_path, long(0, 30), test[["y", "a", "t", "id"]].assign(more=1), "test.parquet", id="id", time_column="t"
    )
    values, answers = of_test(task)
    one = test[test["id"] == test["id"][0]].sort_values("t")
    assert np.allclose(values[0], one["a"])
    assert answers[0] == one["y"].iloc[0]
    done = prepare(task, seed=0, data_folder=tmp_path / "data")
    assert done.summary.rows == {"train": 24, "validation": 6, "test": 12}
    assert any("1 columns are not in" in text and "more" in text for text in done.summary.warnings)
    assert task.evaluation == "folds"


def test_nothing_is_learned_from_the_series_of_the_test_file(tmp_path: Path) -> None:
    plain = loaded(tmp_path, long(0, 30), long(100, 12), id="id", time_column="t")
    longer = long(100, 12).assign(a=1e6, t=lambda f: f["t"] * 7)
    other = loaded(tmp_path, pd.read_csv(tmp_path / "train.csv"), longer, id="id", time_column="t")
    assert plain.series == other.series
    fitted = [prepare(task, seed=0, data_folder=tmp_path / "data").schema.encoders for task in (plain, other)]
    assert fitted[0] == fitted[1]


def test_series_and_groups_that_are_in_both_files_are_warned_of(tmp_path: Path) -> None:
    train, test = long(0, 30), long(25, 12)
    groups = {"id": "id", "time_column": "t", "group": "who"}
    task = loaded(tmp_path, train.assign(who=train["id"].str[-1]), test.assign(who=test["id"].str[-1]), **groups)
    said = "\n".join(prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings)
    assert "5 of 12 series have an id that is in " in said
    assert "10 groups are in training and test" in said


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="a"), "test.csv: column 'a' of "),
        (lambda f: f.rename(columns={"id": "Id"}), "Did you mean 'Id'?"),
        (lambda f: f[f["id"] < "s103"], "test.csv: too few series to test with (3 < 10). Add series."),
        (lambda f: f.assign(y="a"), "test.csv: holds one class only (a); a test needs series of two at least."),
        (lambda f: f.assign(y=["c", *f["y"][1:]]), "test.csv: column 'y' must be the same in all rows of an id, but 's"),
        (lambda f: f.assign(y="c"), "test.csv: target 'y', row 1: 'c' is not a class of the training rows (one of 12)."),
        (lambda f: f.assign(y=f["y"].where(f["id"] != f["id"][7])), "row 8: is missing (one of 1). A row to test with"),
        (lambda f: f.assign(t=0), "is not a time of its own: row "),
        (lambda f: f.assign(t=["soon", *f["t"][1:]]), "test.csv: column 't', row 1: 'soon' is not a finite number."),
        (lambda f: f.assign(a=["x", *f["a"][1:]]), "test.csv: column 'a', row 1: 'x' is not a number below 1e+100"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_of_test_series_is_named(tmp_path: Path, change: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, long(0, 30), change(long(100, 12)), id="id", time_column="t")  # type: ignore[operator]
    assert words in str(caught.value)


def test_steps_that_follow_are_predicted_from_the_past_in_the_training_file(tmp_path: Path) -> None:
    task = loaded(tmp_path, daily(0, 120, more=1.0), daily(120, 20)[["y", "day"]], **FORECAST)
    form, (pasts, answers) = task.series, of_test(task)
    assert isinstance(form, Forecast)
    assert np.allclose(answers, 120.25 + np.arange(18)[:, None] + np.arange(3))
    assert np.allclose(pasts[0], 120.25 - form.steps + np.arange(form.steps))
    learned = task.read().target[~np.asarray(task.read().test)]
    assert learned.max() == 119.25  # and so no step of the test file teaches
    done = prepare(task, seed=0, data_folder=tmp_path / "data")
    assert done.summary.rows["test"] == 18
    spans = load_part(tmp_path / "data", DataRef(done.ref.key, done.ref.content, ("test",)), "test").clusters
    assert spans is not None
    assert len(set(spans[:, 0])) == 18
    assert not [text for text in done.summary.warnings if "test" in text]


def test_season_context_and_scale_come_from_the_training_file_alone(tmp_path: Path) -> None:
    quiet = loaded(tmp_path, daily(0, 120), daily(120, 20), **FORECAST)
    wave = daily(120, 300).assign(y=lambda f: 1e6 * np.sin(np.arange(len(f))))
    loud = loaded(tmp_path, daily(0, 120), wave, **FORECAST)
    assert quiet.series == loud.series
    first, second = (prepare(task, seed=0, data_folder=tmp_path / "data").schema for task in (quiet, loud))
    assert first.encoders == second.encoders
    assert (first.target_mean, first.target_scale) == (second.target_mean, second.target_scale)


def test_a_series_goes_on_from_its_own_past_and_one_of_its_own_from_its_own_file(tmp_path: Path) -> None:
    train = pd.concat(
        [daily(0, 80, shop=shop).assign(y=lambda f, b=base: f["y"] + b) for shop, base in (("a", 0), ("b", 1000))]
    )
    test = pd.concat(
        [
            daily(80, 12, shop="b").assign(y=lambda f: f["y"] + 1000),
            daily(0, 60, shop="c").assign(y=lambda f: f["y"] + 5000),
        ]
    )
    task = loaded(tmp_path, train, test, id="shop", **FORECAST)
    form, (pasts, answers) = task.series, of_test(task)
    assert isinstance(form, Forecast)
    goes_on, own = answers[:, 0] < 5000, answers[:, 0] >= 5000
    assert (goes_on.sum(), own.sum()) == (10, 60 - form.steps - 2)
    assert np.allclose(pasts[goes_on][0], 1080.25 - form.steps + np.arange(form.steps))
    assert own.any()
    assert pasts[own].min() == 5000.25
    said = "\n".join(prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings)
    assert "test.csv: 1 of 2 series are not in " in said
    assert "test rows are older than the newest training row." in said


def test_a_gap_between_the_files_is_a_gap_and_a_long_one_a_new_beginning(tmp_path: Path) -> None:
    task = loaded(tmp_path, daily(0, 120), daily(125, 20), **FORECAST)
    pasts, answers = of_test(task)
    assert np.isnan(pasts[0]).sum() == 5
    assert answers[0, 0] == 125.25
    far = loaded(tmp_path, daily(0, 120), daily(5000, 60), **FORECAST)
    pasts, answers = of_test(far)
    assert pasts.min() == 5000.25


def test_rows_that_fill_a_hole_of_the_training_file_are_predicted_and_no_step_of_that_file_is(tmp_path: Path) -> None:
    train = pd.concat([daily(0, 60), daily(80, 80)])
    task = loaded(tmp_path, train, daily(60, 20), **FORECAST)
    answers = of_test(task)[1]
    assert (len(answers), answers.min(), answers.max()) == (18, 60.25, 79.25)
    said = "\n".join(prepare(task, seed=0, data_folder=tmp_path / "data").summary.warnings)
    assert "18 of 18 test rows are older than the newest training row." in said


def test_rows_without_times_follow_in_their_order(tmp_path: Path) -> None:
    task = loaded(tmp_path, daily(0, 120)[["y"]], daily(120, 20)[["y"]], kind="forecast", horizon=3)
    assert of_test(task)[1][0].tolist() == [120.25, 121.25, 122.25]


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (daily(110, 20), "test.csv: row 1 is at a time that a row of "),
        (daily(120, 5), "test.csv: only 3 windows of "),
        (daily(120, 20).rename(columns={"day": "date"}), "test.csv: column 'day' of "),
        (daily(120, 20).assign(y="many"), "test.csv: column 'y', row 1: 'many' is not a number"),
        (daily(120, 20).assign(day="2024-13-01"), "test.csv: column 'day', row 1: '2024-13-01' is not a date"),
        (pd.concat([daily(120, 20), daily(121, 1)]), "test.csv: column 'day', row 21: '2024-05-01' is not a time of its own"),
    ],
)  # fmt: skip
def test_what_cannot_test_a_forecast_is_refused(tmp_path: Path, test: pd.DataFrame, words: str) -> None:
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, daily(0, 120), test, **FORECAST)
    assert words in str(caught.value)


def test_the_training_file_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is the training data itself"):
        loaded(tmp_path, daily(0, 120), daily(0, 120), "train.csv", **FORECAST)


@pytest.mark.parametrize(
    ("train", "test", "choices"),
    [(daily(0, 120), daily(120, 20), FORECAST), (long(0, 30), long(100, 12), {"id": "id", "time_column": "t"})],
)
def test_a_task_of_series_is_loaded_again_from_any_folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    train: pd.DataFrame,
    test: pd.DataFrame,
    choices: dict[str, object],
) -> None:
    loaded(tmp_path, train, test, **choices)
    monkeypatch.chdir(tmp_path)
    task = load_task("train.csv", Choices("y", test="test.csv", **choices))  # type: ignore[arg-type]
    monkeypatch.chdir("/")
    assert len(load_again("train", task.choices).read()) == len(task.read())
