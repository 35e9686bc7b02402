"""Our search of series against nearest neighbours on the same rows. Prints Markdown; a minute per file.

The files are those that come with aeon, which is not a dependency of ours: `pip download --no-deps aeon==1.6.0`, unpack the wheel,
and let AEON be that folder. Each has a test part of its own. Series of one channel and one length become a column per step, others
a row per step.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from command import search_and_predict
from paired import lead, score
from provenance import markdown

AEON = os.environ.get("AEON", "")
NAMES = (
    "ArrowHead", "GunPoint", "ItalyPowerDemand", "OSULeaf", "ACSF1", "BasicMotions", "JapaneseVowels", "PickupGestureWiimoteZ",
    "Covid3Month",
)  # fmt: skip
NUMBERS = {"Covid3Month"}
"""Files whose target is a number."""
HEADER = (
    "series",
    "rows x steps (channels)",
    "judged by",
    "metric",
    "ours",
    "neighbour",
    "on neighbour",
    "command, s",
    "family",
)
NOTES = (
    "Scored on the test part that each file brings; `on neighbour` is how far ours leads, in paired standard errors.",
    "Neighbour: the label of the nearest training series, by squared distance, shorter series filled with zeros.",
)

Series = list[list[np.ndarray]]
"""Per row, per channel, the steps."""


def main() -> None:
    """Measure each file, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", type=int, default=60, help="seconds of our command")
    parser.add_argument("--names", default=",".join(NAMES), help="separated by commas")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if not AEON:
        raise SystemExit("AEON must be the folder of the unpacked wheel of aeon; `--help` says how to get it.")
    rows = []
    for name in args.names.split(","):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            rows.append(measure(name, Path(folder), args.time, args.seed))
        print(*rows[-1], sep=" | ", file=sys.stderr)
    print(markdown(f"Series: `automl search FILE --target label --time {args.time}`", HEADER, rows, NOTES))


def measure(name: str, folder: Path, seconds: int, seed: int) -> tuple[Any, ...]:
    """One line of the table."""
    (series, labels), (others, truth) = (read(name, part) for part in ("TRAIN", "TEST"))
    lengths = {len(channel) for row in series + others for channel in row}
    is_wide = len(lengths) == 1 and len(series[0]) == 1
    lay_out = wide if is_wide else long
    lay_out(series).join(labels, on="id").drop(columns="id" if is_wide else []).to_csv(
        folder / "train.csv", index=False
    )
    lay_out(others).drop(columns="id" if is_wide else []).to_csv(folder / "test.csv", index=False)
    given = [] if is_wide else ["--id", "id", "--time-col", "step"]
    metric = "rmse" if name in NUMBERS else "accuracy"
    search = ("search", "train.csv", "--target", "label", "--metric", metric, *given)
    document, wall, found = search_and_predict(folder, search, "test.csv", seconds, seed)
    if not is_wide:
        found = found.set_index("id").loc[truth.index].reset_index(drop=True)
    truth, theirs = truth.reset_index(drop=True), neighbours(series, labels, others)
    shape = f"{len(series)} x {' to '.join(map(str, dict.fromkeys((min(lengths), max(lengths)))))} ({len(series[0])})"
    return (
        name, shape, len(truth), metric, f"{score(metric, truth, found):.4f}", f"{score(metric, truth, theirs):.4f}",
        f"{lead(metric, truth, found, theirs):+.1f}", f"{wall:.1f}", document["best"]["family"],
    )  # fmt: skip


def read(name: str, part: str) -> tuple[Series, pd.Series]:
    """Return the series of a part and their labels by name; after `@data` a line is a row: channels, then the label, between colons."""
    path = Path(AEON, "aeon/datasets/data", name, f"{name}_{part}.ts")
    lines = path.read_text(encoding="utf-8", errors="replace").lower().partition("@data")[2].split()
    rows = [line.split(":") for line in lines]
    series = [[np.array(channel.split(","), dtype=float) for channel in channels] for *channels, _ in rows]
    labels = [float(label) if name in NUMBERS else f"c{label}" for *_, label in rows]
    return series, pd.Series(labels, name="label", index=[f"s{row}" for row in range(len(rows))])


def wide(series: Series) -> pd.DataFrame:
    """A row per series, a column per step, and `id`."""
    frame = pd.DataFrame(np.stack([channel for (channel,) in series])).add_prefix("t")
    return frame.assign(id=[f"s{row}" for row in range(len(series))])


def long(series: Series) -> pd.DataFrame:
    """A row per step, with `id`, `step` and a column per channel."""

    def parts() -> Iterator[pd.DataFrame]:
        for row, channels in enumerate(series):
            frame = pd.DataFrame(np.stack(channels, axis=1)).add_prefix("ch")
            yield frame.assign(id=f"s{row}", step=range(len(frame)))

    return pd.concat(parts(), ignore_index=True)


def neighbours(series: Series, labels: pd.Series, others: Series) -> pd.DataFrame:
    """The label of the nearest training series as a prediction for each of the others."""
    steps = max(len(channel) for row in series + others for channel in row)

    def filled(rows: Series) -> np.ndarray:
        return np.array(
            [np.concatenate([np.pad(channel, (0, steps - len(channel))) for channel in row]) for row in rows]
        )

    known, asked = filled(series), filled(others)
    nearest = [int(((known - row) ** 2).sum(axis=1).argmin()) for row in asked]
    return pd.DataFrame({"prediction": labels.to_numpy()[nearest]})


if __name__ == "__main__":
    main()
