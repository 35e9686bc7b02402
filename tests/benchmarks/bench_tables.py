"""Our search of tables against scikit-learn's and AutoGluon's defaults on the same rows: `make bench-quality`. Prints Markdown.

Per table and seed: one split of 75 to 25 %, then each side in turn. All read the same train.csv and test.csv and are scored
by the same code. AutoGluon runs where AUTOGLUON_PYTHON is the Python of its environment (`autogluon_fit.py` says how to
make one); without it its columns stay empty. Ten tables take about 25 minutes a seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from paired import lead, score
from provenance import markdown, spread
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from tables import TABLES, Table

AUTOML = str(Path(sys.executable).with_name("automl"))
AUTOGLUON = os.environ.get("AUTOGLUON_PYTHON", "")
SCORES = ("table", "seed", "rows", "metric", "ours", "HGB", "AutoGluon", "optimum")
HEADER = (*SCORES, "on HGB", "on AutoGluon", "ours, s", "AutoGluon, s", "family", "verdict")


@dataclass(frozen=True)
class Split:
    """A table cut in two, with the folder that holds it as train.csv and, without the target, test.csv."""

    name: str
    seed: int
    table: Table
    folder: Path
    truth: pd.Series
    """The answers of test.csv, by the table's row numbers."""


@dataclass(frozen=True)
class Result:
    """What a side predicted for test.csv; nothing when it did not run, or failed."""

    predictions: pd.DataFrame | None = None
    seconds: float | None = None
    document: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What each side made of a split."""

    split: Split
    results: dict[str, Result]

    def of(self, side: str) -> Result:
        """The side's result; an empty one when it was not asked."""
        return self.results.get(side, Result())

    def lead_on(self, side: str, metric: str = "") -> float | None:
        """Ours on a side in standard errors: none where that side has nothing, minus infinity where ours failed."""
        mine, theirs = self.of("ours").predictions, self.of(side).predictions
        if theirs is None or "ours" not in self.results:
            return None
        if mine is None:
            return float("-inf")
        return lead(metric or self.split.table.metrics[0], self.split.truth, mine, theirs)


def main() -> None:
    """Measure each table and seed, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=int, default=60, help="seconds of our command, and of AutoGluon's fit")
    parser.add_argument("--tables", default=",".join(TABLES), help="names, separated by commas")
    parser.add_argument("--seeds", default="0", help="numbers, separated by commas")
    parser.add_argument("--sides", default=",".join(SIDES), help="boosted alone proves the script in seconds")
    args = parser.parse_args()
    sides, seeds = args.sides.split(","), list(map(int, args.seeds.split(",")))
    load = os.getloadavg()[0]
    measured = [measure(name, seed, args.time, sides) for name in args.tables.split(",") for seed in seeds]
    rows = [row for each in measured for row in table_rows(each)]
    title = f"Tables: `automl search FILE --target COL --time {args.time} --json` against the defaults of others"
    print(markdown(title, HEADER, rows, notes(measured, args.time, load)))


def measure(name: str, seed: int, seconds: int, sides: Sequence[str]) -> Measured:
    """Split a table and let each side have it in turn."""
    if name not in TABLES:
        raise SystemExit(f"Unknown table {name!r}. Tables: {', '.join(TABLES)}.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        split = split_table(name, seed, Path(folder))
        measured = Measured(split, {side: attempt(side, split, seconds) for side in sides})
    print(*table_rows(measured), sep="\n", file=sys.stderr)
    return measured


def attempt(side: str, split: Split, seconds: int) -> Result:
    """Let a side predict; one that fails says so on stderr and leaves the others their turn."""
    try:
        return SIDES[side](split, seconds)
    except subprocess.CalledProcessError as error:
        print(f"{split.name}: {side} failed: {error}\n{error.stdout[-500:]}\n{error.stderr[-1500:]}", file=sys.stderr)
    except subprocess.TimeoutExpired as error:
        print(f"{split.name}: {side} failed: {error}", file=sys.stderr)
    return Result()


def split_table(name: str, seed: int, folder: Path) -> Split:
    """Write three quarters as train.csv, the rest as test.csv; classes keep their shares."""
    table = TABLES[name]()
    labels = None if table.metrics == ("rmse",) else table.frame[table.target]
    train, test = train_test_split(table.frame, test_size=0.25, random_state=seed, stratify=labels)
    train.to_csv(folder / "train.csv", index=False)
    test.drop(columns=table.target).to_csv(folder / "test.csv", index=False)
    return Split(name, seed, table, folder, test[table.target])


def ours(split: Split, seconds: int) -> Result:
    """Search, then predict by the exported model; the seconds are the whole search command's."""
    search = ("search", "train.csv", "--target", split.table.target, "--time", str(seconds), "--seed", str(split.seed))
    began = time.perf_counter()
    document = json.loads(run(split, seconds, AUTOML, *search, "--json"))
    wall = time.perf_counter() - began
    run(split, seconds, AUTOML, "predict", document["bundle"], "test.csv", "--out", "ours.csv")
    return Result(pd.read_csv(split.folder / "ours.csv"), wall, document)


def autogluon(split: Split, seconds: int) -> Result:
    """AutoGluon's `medium_quality`; the seconds are its `fit`'s, without importing and reading."""
    if not AUTOGLUON:
        return Result()
    script = str(Path(__file__).with_name("autogluon_fit.py"))
    fit = (split.table.target, split.table.metrics[0], "--time", str(seconds), "--out", "autogluon.csv")
    # Threads that spin while they wait let LightGBM fill AutoGluon's minute beside any other work: one model, not eleven.
    printed = run(split, seconds, AUTOGLUON, "-P", script, *fit, OMP_WAIT_POLICY="PASSIVE")
    document = json.loads(printed.splitlines()[-1])
    return Result(pd.read_csv(split.folder / "autogluon.csv"), document["seconds"], document)


def run(split: Split, seconds: int, *command: str, **environ: str) -> str:
    """Run a command in the split's folder; returns its stdout. Raises what `attempt` reports, also when it hangs."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AUTOML_", "MLFLOW_"))}
    where: dict[str, Any] = {"cwd": split.folder, "env": {**kept, **environ}, "timeout": 300 + 3 * seconds}
    return subprocess.run(command, **where, capture_output=True, text=True, check=True).stdout


def boosted(split: Split, seconds: int) -> Result:
    """HistGradientBoosting as it comes, with the metric's own kind of model."""
    del seconds  # It takes as long as it takes: about one.
    train, test = (pd.read_csv(split.folder / name) for name in ("train.csv", "test.csv"))
    answers = train.pop(split.table.target)
    kind = HistGradientBoostingRegressor if split.table.metrics == ("rmse",) else HistGradientBoostingClassifier
    model = kind(categorical_features="from_dtype", random_state=split.seed).fit(prepared(train, train), answers)
    predictions = pd.DataFrame({"prediction": model.predict(prepared(test, train))})
    if isinstance(model, HistGradientBoostingClassifier):
        chances = model.predict_proba(prepared(test, train))
        predictions = predictions.join(pd.DataFrame(chances, columns=model.classes_).add_prefix("p_"))
    return Result(predictions)


def prepared(frame: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    """What a careful user writes: dates as numbers, words as the 255 commonest levels of train (the model's limit)."""
    columns = {}
    for name in train:
        if pd.api.types.is_numeric_dtype(train[name]):
            columns[name] = frame[name]
        elif pd.to_datetime(train[name], errors="coerce", format="%Y-%m-%d").notna().all():
            day = pd.to_datetime(frame[name]).dt
            columns |= {f"{name} {part}": getattr(day, part) for part in ("year", "day_of_year", "day_of_week")}
        else:
            levels = train[name].value_counts().index[:255]
            columns[name] = pd.Categorical(frame[name].where(frame[name].isin(levels)), levels)
    return pd.DataFrame(columns)


SIDES: dict[str, Callable[[Split, int], Result]] = {"ours": ours, "boosted": boosted, "autogluon": autogluon}


def table_rows(measured: Measured) -> list[tuple[object, ...]]:
    """One row per metric."""
    split, mine = measured.split, measured.of("ours")
    about = (split.name, split.seed, len(split.table.frame))
    seconds = [text(measured.of(side).seconds, ".1f") for side in ("ours", "autogluon")]
    won = (mine.document.get("best", {}).get("family", ""), mine.document.get("verdict", ""))
    rows = []
    for metric in split.table.metrics:
        leads = [text(measured.lead_on(side, metric), "+.1f") for side in ("boosted", "autogluon")]
        rows.append((*about, metric, *scores(measured, metric), *leads, *seconds, *won))
    return rows


def scores(measured: Measured, metric: str) -> list[str]:
    """Ours, HGB's, AutoGluon's and the best that the table's formula allows."""
    truth, optimum = measured.split.truth, measured.split.table.optimum
    predictions = [measured.of(side).predictions for side in SIDES]
    predictions.append(None if optimum is None else optimum.loc[truth.index])
    return [text(None if each is None else score(metric, truth, each), ".4g") for each in predictions]


def notes(measured: Sequence[Measured], seconds: int, load: float) -> list[str]:
    """The counts, then what they mean."""
    on_boosted, on_autogluon = ([each.lead_on(side) for each in measured] for side in ("boosted", "autogluon"))
    walls = [each.results["ours"].seconds for each in measured if "ours" in each.results]
    kept = sum(wall is not None and wall <= 1.05 * seconds for wall in walls)
    return [
        f"Not behind HGB: {count(on_boosted, lambda lead: lead >= -1)}, where one standard error behind is not behind; "
        f"strictly: {count(on_boosted, lambda lead: lead >= 0)}.",
        f"Ahead of AutoGluon: {count(on_autogluon, lambda lead: lead > 0)}; by more than one standard error: "
        f"{count(on_autogluon, lambda lead: lead > 1)}.",
        f"Time kept within 5 %: {kept} of {len(walls)}.",
        f"Other work on the machine at the start: load {load:.1f}. Figures want an idle machine, under 0.5.",
        "The first metric of a table counts. `on` is how far ours leads, in paired standard errors over the test rows; "
        "a side that failed has empty cells, and `-inf` is ours that failed.",
        about_autogluon([each.of("autogluon").document for each in measured]),
    ]


def about_autogluon(documents: Sequence[dict[str, Any]]) -> str:
    """Which version ran which models, in one sentence."""
    fitted = [document for document in documents if document]
    if not fitted:
        return "AutoGluon was not run: it needs AUTOGLUON_PYTHON."
    models = sorted({model for document in fitted for model in document["models"]})
    return (
        f"AutoGluon {fitted[0]['version']}, `medium_quality`, was told the metric and the kind of problem; ours was not. "
        f"It fitted {spread([len(document['models']) for document in fitted], 0)} models a table, of {', '.join(models)}."
    )


def count(leads: Sequence[float | None], holds: Callable[[float], bool]) -> str:
    """`n of m`, without the tables that the other side lacks."""
    known = [each for each in leads if each is not None]
    return f"{sum(map(holds, known))} of {len(known)}"


def text(value: float | None, digits: str) -> str:
    """A number, or an empty cell."""
    return "" if value is None else format(value, digits)


if __name__ == "__main__":
    main()
