"""The tables that `bench_tables.py` searches: bundled with dependencies, or generated. Downloads nothing, measures nothing.

Left out of what statsmodels bundles: `modechoice`, whose 840 rows are 210 people four times (a random split would leak),
and all under 300 rows or of one column. `randhie` also holds people several times, without saying who; all sides share that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, make_classification, make_friedman1, make_friedman2


@dataclass(frozen=True)
class Table:
    """A table, what to predict in it, and how well that can be done."""

    frame: pd.DataFrame
    target: str
    metrics: tuple[str, ...]
    """Of `paired.POINTS`; the first one counts."""
    optimum: pd.DataFrame | None = None
    """What the generating formula predicts, row by row, in the columns of a predictions file."""


BINARY, CLASSES, NUMBER = ("roc_auc",), ("accuracy", "log_loss"), ("rmse",)


def breast_cancer() -> Table:
    """569 tumours, 30 measures, 2 classes (scikit-learn)."""
    return Table(load_breast_cancer(as_frame=True).frame, "target", BINARY)


def diabetes() -> Table:
    """442 patients, 10 measures, a number (scikit-learn)."""
    return Table(load_diabetes(as_frame=True).frame, "target", NUMBER)


def penguins() -> Table:
    """344 penguins, numbers and words with gaps, 3 species (palmerpenguins)."""
    from palmerpenguins import load_penguins

    return Table(load_penguins(), "species", CLASSES)


def anes96() -> Table:
    """944 American voters of 1996, 9 answers, 2 candidates (statsmodels)."""
    frame = _statsmodels("anes96").drop(columns="logpopul")  # The logarithm of another column.
    return Table(frame.assign(vote=frame["vote"].map({0: "Clinton", 1: "Dole"})), "vote", BINARY)


def fair() -> Table:
    """6,366 married women, 8 answers, whether they had an affair (statsmodels)."""
    frame = _statsmodels("fair")
    return Table(frame.assign(affairs=(frame["affairs"] > 0).astype(int)), "affairs", BINARY)


def randhie() -> Table:
    """20,190 years of the insured, 9 columns, a skewed count of visits to the doctor (statsmodels)."""
    return Table(_statsmodels("randhie"), "mdvis", NUMBER)


def friedman1() -> Table:
    """2,000 rows, 10 numbers of which 5 matter, noise 1: the best rmse is about 1."""
    return _friedman(lambda noise: make_friedman1(2000, noise=noise, random_state=0), noise=1.0)


def friedman2_small() -> Table:
    """700 rows, 4 numbers of very different sizes, noise 125: the best rmse is about 125."""
    return _friedman(lambda noise: make_friedman2(700, noise=noise, random_state=0), noise=125.0)


def clusters() -> Table:
    """5,000 rows, 20 numbers of which 8 inform, 3 classes of two clusters each, 1 % of labels at random."""
    features, labels = make_classification(5000, 20, n_informative=8, n_classes=3, random_state=0)
    frame = _numbered(features).assign(label=np.array(["low", "middle", "high"])[labels])
    return Table(frame, "label", CLASSES)


def orders() -> Table:
    """5,000 orders, 7 % returned: a unique id, 120 cities, a date, gaps, two numbers that nobody needs.

    log odds = -3.2 + city (normal, 0.9) + plan + 0.8 sin(day of year) + 0.9 at weekends - 0.9 |log amount - 3|
    + 0.5 items where the plan is trial. The optimum sees what the gaps hide, so it bounds what can be reached.
    """
    rng, rows = np.random.default_rng(0), 5000
    frame = _order_columns(rng, rows)
    log_odds = _order_log_odds(rng, frame)
    returned = 1 / (1 + np.exp(-log_odds))
    frame["status"] = np.where(rng.random(rows) < returned, "returned", "kept")
    optimum = pd.DataFrame({"p_kept": 1 - returned, "p_returned": returned})
    for name, share in (("plan", 0.05), ("amount", 0.15), ("age", 0.3)):
        frame.loc[rng.random(rows) < share, name] = np.nan
    return Table(frame, "status", BINARY, optimum)


def _order_columns(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    popularity = 1 / np.arange(3, 123)
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 730, rows), unit="D")
    columns = {
        "order_id": [f"A{number:06d}" for number in rng.permutation(10 * rows)[:rows]],
        "city": rng.choice([f"city {number}" for number in range(120)], rows, p=popularity / popularity.sum()),
        "plan": rng.choice(["basic", "plus", "pro", "trial"], rows, p=[0.5, 0.2, 0.1, 0.2]),
        "day": days.strftime("%Y-%m-%d"),
        "amount": rng.lognormal(3, 1, rows).round(2),
        "items": rng.poisson(2, rows) + 1,
        "age": rng.integers(18, 90, rows).astype(float),
        "clicks": rng.poisson(20, rows),
    }
    return pd.DataFrame(columns)


def _order_log_odds(rng: np.random.Generator, frame: pd.DataFrame) -> pd.Series:
    city = frame["city"].map({f"city {number}": effect for number, effect in enumerate(rng.normal(0, 0.9, 120))})
    plan = frame["plan"].map({"basic": 0.0, "plus": -0.5, "pro": -1.0, "trial": 0.5})
    day = pd.to_datetime(frame["day"])
    season = 0.8 * np.sin(2 * np.pi * day.dt.day_of_year / 365) + 0.9 * (day.dt.day_of_week >= 5)
    trial = 0.5 * frame["items"] * (frame["plan"] == "trial")
    return -3.2 + city + plan + season - 0.9 * (np.log(frame["amount"]) - 3).abs() + trial


def _friedman(make: Callable[[float], tuple[np.ndarray, np.ndarray]], noise: float) -> Table:
    features, target = make(noise)
    optimum = pd.DataFrame({"prediction": make(0.0)[1]})  # The same features: they are drawn before the noise.
    return Table(_numbered(features).assign(y=target), "y", NUMBER, optimum)


def _numbered(features: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(features, columns=[f"x{number}" for number in range(features.shape[1])])


def _statsmodels(name: str) -> pd.DataFrame:
    from statsmodels import datasets

    frame: pd.DataFrame = getattr(datasets, name).load_pandas().data
    return frame


TABLES: dict[str, Callable[[], Table]] = {
    make.__name__: make
    for make in (
        anes96,
        fair,
        randhie,
        friedman1,
        friedman2_small,
        clusters,
        orders,
        breast_cancer,
        diabetes,
        penguins,
    )
}
