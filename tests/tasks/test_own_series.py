"""Files of series: what makes rows a series, how long rows and forecasts are read, and what is refused, with column and rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.audit import audit
from automl.encoding import Forecast, Series
from automl.errors import ConfigError, DataError
from automl.tasks import Choices, Task, load_again, load_task
from automl.tasks.own.windows import Line, windows

RNG = np.random.default_rng(0)


def loaded(folder: Path, frame: pd.DataFrame, **choices: object) -> Task:
    frame.to_csv(folder / "d.csv", index=False)
    return load_task(str(folder / "d.csv"), Choices(**{"target": "y", **choices}))  # type: ignore[arg-type]


def refused(folder: Path, frame: pd.DataFrame, **choices: object) -> str:
    with pytest.raises((DataError, ConfigError)) as caught:
        loaded(folder, frame, **choices)
    return str(caught.value)


def waves(rows: int = 60, steps: int = 24) -> np.ndarray:
    begins = RNG.uniform(0, 6, (rows, 1))
    return np.sin(np.arange(steps) / 3 + begins) + RNG.normal(0, 0.3, (rows, steps))


def wide(values: np.ndarray, stem: str = "t") -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"{stem}{place}" for place in range(values.shape[1])])


def long(ids: int = 30, least: int = 20, most: int = 30) -> pd.DataFrame:
    parts = []
    for place in range(ids):
        steps = least + place % (most - least + 1)
        cells = {
            "id": f"s{place}",
            "t": np.arange(steps) / 10,
            "a": RNG.normal(size=steps),
            "b": RNG.normal(size=steps),
        }
        parts.append(pd.DataFrame({**cells, "w": "word", "y": "no" if place % 2 else "yes"}))
    return pd.concat(parts).sample(frac=1, random_state=0).reset_index(drop=True)


def monthly(rows: int = 120) -> pd.DataFrame:
    at = np.arange(rows)
    level = 50 + at / 4 + 5 * np.sin(at / 12 * 2 * np.pi)
    months = pd.date_range("2001-01-01", periods=rows, freq="MS").strftime("%d.%m.%Y")
    return pd.DataFrame({"when": months, "y": level + RNG.normal(0, 0.3, rows), "other": RNG.normal(size=rows)})


def form_of(task: Task) -> Series | Forecast:
    assert task.series is not None
    return task.series


@pytest.mark.parametrize("stem", ["t", "", "V_"])
def test_numbered_columns_of_like_neighbours_are_a_series_in_the_order_of_their_numbers(
    tmp_path: Path, stem: str
) -> None:
    values = waves()
    frame = wide(values, stem)
    frame = frame[RNG.permutation(frame.columns)].assign(y=np.where(np.arange(60) % 2, "a", "b"))
    task = loaded(tmp_path, frame)
    assert (task.input_kind, task.shape) == ("series", (1, 24))
    assert np.allclose(task.read().array(), values)
    assert (
        f"from series of 24 steps, {stem}0 to {stem}23 (numbered columns, neighbours correlate by 0."
        in task.summary(60)
    )


@pytest.mark.parametrize("make", ["independent", "one cause", "pixels", "few", "beside others", "not consecutive"])
def test_other_tables_stay_tables(tmp_path: Path, make: str) -> None:
    values, stem = waves(), "t"
    if make == "independent":
        values = RNG.normal(size=(60, 24))
    if make == "one cause":
        values = RNG.normal(size=(60, 1)) * RNG.normal(size=24) + RNG.normal(size=(60, 24))
    frame = wide(values[:, :12] if make == "few" else values, "pixel" if make == "pixels" else stem)
    if make == "beside others":
        frame["age"] = RNG.normal(size=60)
    frame = frame.rename(columns={"t7": "t77"}) if make == "not consecutive" else frame
    assert loaded(tmp_path, frame.assign(y=np.arange(60) % 2)).input_kind == "table"


def test_neighbours_that_are_faintly_alike_throughout_are_a_series_where_there_are_many(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(300, 81))
    faint = noise[:, 1:] + 0.25 * noise[:, :-1]
    grouped = rng.normal(size=(300, 80)) + 0.7 * np.repeat(rng.normal(size=(300, 16)), 5, axis=1)
    scaled = faint * np.geomspace(1, 9, 80)
    made = {"faint": faint, "few": faint[:, :40], "grouped": grouped, "scaled": scaled}
    found = {name: loaded(tmp_path, wide(values, "V").assign(y=np.arange(300) % 2)) for name, values in made.items()}
    assert {name for name, task in found.items() if task.input_kind == "series"} == {"faint"}


def test_spikes_at_named_times_are_a_series_though_neighbours_are_unlike(tmp_path: Path) -> None:
    beats = np.where((np.arange(90) + np.arange(60)[:, None]) % 3 == 0, 5.0, 0.0) + RNG.normal(size=(60, 90))
    found = {stem: loaded(tmp_path, wide(beats, stem).assign(y=np.arange(60) % 2)) for stem in ("t", "lag_", "V")}
    assert [task.input_kind for task in found.values()] == ["series", "series", "table"]
    assert loaded(tmp_path, wide(RNG.normal(size=(60, 90))).assign(y=np.arange(60) % 2)).input_kind == "table"


def test_columns_named_as_steps_that_are_not_alike_are_a_table_and_that_is_said(tmp_path: Path) -> None:
    noise = wide(RNG.normal(size=(60, 70))).assign(y=np.arange(60) % 2)
    said = (
        "Columns t0 to t69 are numbered but neighbours are not alike, so this is a table; if they are steps of a series: "
        "--input series."
    )
    assert said in audit((task := loaded(tmp_path, noise)).read(), task)
    for frame, chosen in ((noise, "table"), (noise.drop(columns="t7"), None), (noise.assign(age=noise["t3"]), None)):
        assert loaded(tmp_path, frame, input=chosen).read().notes == ()


def test_few_numbered_columns_are_not_worth_a_warning(tmp_path: Path) -> None:
    few = wide(RNG.normal(size=(60, 28)), "V").assign(y=np.arange(60) % 2)
    assert loaded(tmp_path, few).read().notes == ()


def test_a_person_decides_what_rows_are(tmp_path: Path) -> None:
    frame = wide(waves()).assign(y=np.arange(60) % 2)
    assert loaded(tmp_path, frame, input="table").input_kind == "table"
    noise = wide(RNG.normal(size=(60, 5)), "x").assign(age=RNG.normal(size=60), y=np.arange(60) % 2)
    task = loaded(tmp_path, noise, input="series")
    assert (task.input_kind, form_of(task).columns) == ("series", ("x0", "x1", "x2", "x3", "x4"))
    assert {column.name: column.kind for column in task.columns}["age"] == "left out"


def test_gaps_and_steps_that_never_change_keep_their_places(tmp_path: Path) -> None:
    values = waves()
    values[:, 0], values[3, 5], values[:, 23] = 0.5, np.nan, np.nan
    task = loaded(tmp_path, wide(values).assign(y=np.arange(60) % 2))
    assert np.allclose(task.read().array(), values, equal_nan=True)


def test_rows_of_one_id_are_a_series_in_order_of_time(tmp_path: Path) -> None:
    frame = long()
    task = loaded(tmp_path, frame, id="id", time_column="t")
    rows = task.read()
    assert (task.input_kind, task.shape, len(rows), task.kind) == ("series", (2, 30), 30, "classification")
    one = frame[frame["id"] == frame["id"][0]].sort_values("t")
    first = rows.array()[0].reshape(2, 30)
    assert np.allclose(first[:, -len(one) :], one[["a", "b"]].T)
    assert np.isnan(first[:, : -len(one)]).all()
    kinds = {column.name: (column.kind, column.why) for column in task.columns}
    assert kinds["w"][0] == kinds["id"][0] == kinds["t"][0] == "left out"
    assert rows.moment is None
    assert rows.target[0] == one["y"].iloc[0]
    assert load_again("", task.choices).series == task.series


def test_very_long_series_are_read_in_means_and_a_few_longer_ones_from_their_newest_steps(tmp_path: Path) -> None:
    frame = long(30, 20, 20)
    longer = pd.DataFrame({"id": "long", "t": np.arange(400), "a": 1.0, "b": np.arange(400.0), "w": "", "y": "no"})
    task = loaded(tmp_path, pd.concat([frame, longer]), id="id", time_column="t")
    assert form_of(task).steps == 20
    assert task.read().array()[-1][-1] == 399
    everything = loaded(tmp_path, long(20, 1200, 1200), id="id", time_column="t")
    assert (form_of(everything).steps, form_of(everything).every) == (1200, 3)
    assert form_of(everything).encoded_shape == (2, 400)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.assign(t=0.0), "is not a time of its own: row "),
        (lambda f: f.assign(id=[None, *f["id"][1:]]), "column 'id', row 1: is missing (not an id). Correct it."),
        (lambda f: f.assign(t=[None, *f["t"][1:]]), "--time-col 't' is missing in 1 rows, first in row 1."),
        (lambda f: f.assign(y=["maybe", *f["y"][1:]]), "column 'y' must be the same in all rows of an id, but 's"),
        (lambda f: f.assign(id=np.arange(len(f))), "--id 'id' has another value in each row"),
        (lambda f: f.assign(id="one"), "too few series (1 values of 'id' < 20)"),
        (lambda f: f[["id", "t", "w", "y"]], "no column of numbers is left, of which series could be made (id: says"),
        (lambda f: f.assign(a=["1e300", *f["a"][1:]]), "column 'a', row 1: '1e300' is not a number below 1e+100"),
        (lambda f: f.assign(t=["-", *f["t"][1:]]), "--time-col 't' is missing in 1 rows, first in row 1."),
        (lambda f: f.assign(t=["inf", *f["t"][1:]]), "--time-col 't', row 1: 'inf' is not a number. Correct it."),
        (lambda f: f.assign(t="soon"), "--time-col 't' must hold dates or numbers, but holds"),
    ],
)  # fmt: skip
def test_long_rows_that_make_no_series_are_refused_with_column_and_row(
    tmp_path: Path, change: object, words: str
) -> None:
    said = refused(tmp_path, change(long()), id="id", time_column="t")  # type: ignore[operator]
    assert words in said
    assert said.startswith(f"{tmp_path}/d.csv: ")


def test_groups_of_series_are_kept_and_must_be_the_same_within_one(tmp_path: Path) -> None:
    frame = long()
    frame["who"] = frame["id"].str[-1]
    rows = loaded(tmp_path, frame, id="id", time_column="t", group="who").read()
    assert rows.group is not None
    assert len(set(rows.group)) == 10
    assert "column 'who' must be the same" in refused(
        tmp_path, frame.assign(who=frame["t"]), id="id", time_column="t", group="who"
    )


def test_a_forecast_is_made_of_windows_of_the_past(tmp_path: Path) -> None:
    frame = monthly()
    task = loaded(tmp_path, frame.sample(frac=1, random_state=0), kind="forecast", horizon=6, time_column="when")
    form, rows = form_of(task), task.read()
    assert isinstance(form, Forecast)
    assert (form.season, form.calendar, form.beat, form.columns) == (12, "months", 1.0, ("y", "other"))
    assert (task.kind, task.metric, rows.target.shape[1]) == ("regression", "mae", 6)
    values = frame["y"].to_numpy()
    assert np.allclose(rows.array()[0, : form.steps], values[: form.steps])
    assert np.allclose(rows.target[-1], values[-6:])
    assert "forecast of 6 steps of y" in task.summary(len(rows))
    assert "a step is 1 month; a season of 12 steps" in task.summary(len(rows))


def test_missing_rows_are_gaps_and_series_are_not_mixed(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=80).strftime("%Y-%m-%d")
    both = [
        pd.DataFrame({"shop": shop, "day": days, "y": level + np.arange(80)}) for shop, level in (("a", 0), ("b", 1e4))
    ]
    frame = pd.concat([both[0].drop(index=40), both[1]])
    task = loaded(tmp_path, frame, kind="forecast", horizon=5, time_column="day", id="shop")
    rows = task.read()
    assert np.isnan(rows.array()).sum() == form_of(task).steps
    assert np.isnan(rows.target).sum() == 5
    ends = np.nanmax(np.hstack([rows.array(), rows.target]), axis=1)
    begins = np.nanmin(np.hstack([rows.array(), rows.target]), axis=1)
    assert (ends - begins).max() < 100


@pytest.mark.parametrize(
    ("change", "choices", "words"),
    [
        (lambda f: f, {"horizon": None}, "how many steps are to be predicted? Say it with --horizon"),
        (lambda f: f, {"group": "other"}, "a forecast is divided by time; --group does not apply"),
        (lambda f: f, {"input": "table"}, "--kind forecast needs series of rows; leave out --input table."),
        (lambda f: f, {"id": "when"}, "must be different columns"),
        (lambda f: f, {"horizon": 60}, "too few steps to learn forecasts of 60"),
        (lambda f: f.assign(y=["much", *f["y"][1:]]), {}, "target 'y', row 1: 'much' is not a number below 1e+100"),
        (
            lambda f: pd.concat([f, f[5:6]]),
            {},
            "column 'when', row 121: '2001-06-01' is not a time of its own: row 6 has it",
        ),
        (lambda f: f.rename(columns={"y": "Y"}), {}, "column 'y' not found"),
    ],
)
def test_what_cannot_be_forecast_is_refused(
    tmp_path: Path, change: object, choices: dict[str, object], words: str
) -> None:
    chosen = {"kind": "forecast", "horizon": 6, "time_column": "when", **choices}
    assert words in refused(tmp_path, change(monthly()), **chosen)  # type: ignore[operator]


def test_columns_that_are_known_ahead_are_read_over_the_horizon(tmp_path: Path) -> None:
    frame = monthly()
    said = {"kind": "forecast", "horizon": 6, "time_column": "when"}
    task, plain = loaded(tmp_path, frame, known=("other",), **said), loaded(tmp_path, frame, **said)
    form, rows = form_of(task), task.read()
    assert isinstance(form, Forecast)
    assert (form.ahead, rows.columns[-1]) == (("other",), "other[6]")
    assert "the last 36 steps of y, and the last 30 and next 6 of other" in task.given
    windows = rows.array().reshape(len(rows), 2, form.steps)
    assert np.allclose(windows[-1, 1], frame["other"][-form.steps :])
    assert np.array_equal(windows[:, 0], plain.read().array().reshape(len(rows), 2, form.steps)[:, 0])
    assert np.array_equal(rows.target, plain.read().target)
    assert {column.name: column.why for column in task.columns}["other"].endswith(
        "its past and its next 6 steps are read"
    )


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"known": ("promo",)}, "column 'promo' not found"),
        ({"known": ("y",)}, "--known 'y' is the target, the id or the time. Name another column."),
        ({"known": ("word",)}, "--known 'word' must hold plain numbers, but is left out (a category"),
        ({"known": ("other",), "kind": "regression", "horizon": None}, "--known says what a forecast knows ahead. Add --kind"),
        ({"known": ("other",), "horizon": 30}, "at least 140 are needed in a series, but the series has 120"),
        ({"known": ("other",), "horizon": 600}, "--known reads at most 512 steps ahead. Give a shorter --horizon."),
    ],
)  # fmt: skip
def test_what_cannot_be_known_ahead_is_refused(tmp_path: Path, choices: dict[str, object], words: str) -> None:
    chosen = {"kind": "forecast", "horizon": 6, "time_column": "when", **choices}
    assert words in refused(tmp_path, monthly().assign(word=["a", "b", "c"] * 40), **chosen)


def test_a_horizon_needs_a_forecast(tmp_path: Path) -> None:
    assert "--horizon says how far a forecast goes" in refused(tmp_path, monthly(), horizon=3)


def test_thinned_windows_are_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    form = Forecast(("y",), 2, horizon=1)
    line = Line(np.arange(33.0)[None], np.arange(33.0))
    said = []
    for most in (16, 12, 8):
        monkeypatch.setattr("automl.tasks.own.windows.MOST_WINDOWS", most)
        said += windows("d.csv", form, [line], fewest=1).notes
    assert said == [f"Of 31 windows {share} was taken." for share in ("every second", "every third", "one in 4")]
