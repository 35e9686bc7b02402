"""Whole searches over files of series by the real command: what is inferred is said, and models predict files as they were given."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Command

pytestmark = [pytest.mark.proof, pytest.mark.timeout(600)]  # minutes; tests/bundle/test_series_bundles.py is the sample

SMALL = ("--families", "tcn", "--trials", "2", "--max-epochs", "5", "--executor", "inline", "--no-tracking")


def _wide(folder: Path) -> tuple[str, ...]:
    rng, steps = np.random.default_rng(0), np.arange(60)
    fast = np.arange(120) % 2 == 1
    periods = np.where(fast, 20, 30)[:, None]
    values = np.sin(2 * np.pi * steps / periods + rng.uniform(0, 6, (120, 1))) + rng.normal(0, 0.4, (120, 60))
    frame = pd.DataFrame(values, columns=[f"t{step}" for step in steps])
    frame.assign(label=np.where(fast, "fast", "slow")).to_csv(folder / "d.csv", index=False)
    return ("--target", "label")


def _long(folder: Path) -> tuple[str, ...]:
    rng, parts = np.random.default_rng(0), []
    for film in range(90):
        time = np.arange(20 + film % 25)
        channels = {name: np.sin(time / (2 + film % 3) + rng.uniform(0, 6)) for name in ("ax", "ay", "az")}
        parts.append(pd.DataFrame({"film": f"f{film}", "t": time, **channels, "label": "abc"[film % 3]}))
    pd.concat(parts).sample(frac=1, random_state=0).to_csv(folder / "d.csv", index=False)
    return ("--target", "label", "--id", "film", "--time-col", "t")


def _months(folder: Path) -> tuple[str, ...]:
    rng, at = np.random.default_rng(0), np.arange(500)
    sold = 100 + at / 3 + 12 * np.sin(2 * np.pi * at / 12) + rng.normal(0, 2, 500)
    months = pd.date_range("1980-01-01", periods=500, freq="MS").strftime("%Y-%m-%d")
    pd.DataFrame({"month": months, "sold": sold}).to_csv(folder / "d.csv", index=False)
    return ("--target", "sold", "--kind", "forecast", "--horizon", "12", "--time-col", "month")


def _shops(folder: Path) -> tuple[str, ...]:
    rng, parts = np.random.default_rng(0), []
    days = pd.date_range("2023-01-01", periods=200).strftime("%Y-%m-%d")
    for shop in range(20):
        sold = 10.0 ** rng.uniform(0, 3) * (np.tile(rng.uniform(1, 2, 7), 29)[:200] + rng.normal(0, 0.1, 200))
        parts.append(pd.DataFrame({"shop": f"s{shop}", "day": days, "sold": sold}))
    frame = pd.concat(parts)
    frame.iloc[::17, 2] = np.nan
    frame.sample(frac=0.95, random_state=0).to_csv(folder / "d.csv", index=False)
    return ("--target", "sold", "--kind", "forecast", "--horizon", "7", "--time-col", "day", "--id", "shop")


@pytest.mark.parametrize(
    ("write", "rows", "first"),
    [(_wide, 120, "prediction"), (_long, 90, "film"), (_months, 12, "step"), (_shops, 140, "shop")],
)
def test_series_are_searched_and_predicted_in_every_form(automl: Command, write: object, rows: int, first: str) -> None:
    choices = write(automl.folder)  # type: ignore[operator]
    document = automl.json("search", "d.csv", *choices, *SMALL)
    assert document["slots"]["failed"] == 0
    page = (automl.folder / document["report"]).read_text()
    assert f"automl search d.csv {choices[0]} {choices[1]}" in page
    if "--horizon" in choices:
        assert document["baselines"]["seasonal_naive"] < document["baselines"]["last_value"]
        clear = document["test_gains"]["seasonal_naive"][1] > 0
        assert clear or "is better: use it" in document["verdict"]
    else:
        assert document["best"]["test"] > document["baselines"]["majority"]
    done = automl.run("predict", document["bundle"], "d.csv")
    predicted = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (len(predicted), next(iter(predicted[0]))) == (rows, first)
    assert automl.run("models", "export", "d", "--format", "pt2", "--to", "plain").returncode == 0

    alone = subprocess.run(
        [sys.executable, "plain/predict.py", "d.csv"], cwd=automl.folder, capture_output=True, text=True
    )
    without_us = list(csv.DictReader(io.StringIO(alone.stdout)))
    name = next(name for name in reversed(predicted[0]))
    assert np.allclose([float(row[name]) for row in without_us], [float(row[name]) for row in predicted], rtol=1e-4)
