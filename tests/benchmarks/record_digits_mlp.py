"""Record a table of real results: random configurations of the digits MLP, trained a few epochs. Read by `bench_window.py`.

`nice -n 19 python tests/benchmarks/record_digits_mlp.py` rewrites `data/digits_mlp.csv`: one row per configuration, its
parameters and its best validation accuracy. Trains through the product's own worker code, on one thread.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from pathlib import Path
from typing import Any

import torch

from automl.catalog import space
from automl.coordinator.space import ExploringTrial
from automl.data import prepare, spec_for
from automl.messages import Answer, Assignment, Member, Report
from automl.tasks import load_task
from automl.worker.perform import Places, perform

TABLE = Path(__file__).resolve().parent / "data" / "digits_mlp.csv"


class Deaf:
    """A coordinator that lets every trial go on."""

    def report(self, report: Report) -> None:
        """Take no notice."""

    def answer(self, *, wait: bool) -> Answer | None:
        """Say nothing."""
        return None

    def tick(self) -> None:
        """Take no notice."""


def main() -> None:
    """Train, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=TABLE)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        rows = record(Path(folder), args.points, args.epochs, args.seed)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with args.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(rows)


def record(folder: Path, points: int, epochs: int, seed: int) -> list[dict[str, Any]]:
    """Return a row per configuration; one that diverges has accuracy 0."""
    task = load_task("digits")
    prepared = prepare(task, seed=seed, data_folder=folder)
    spec = spec_for(task, prepared, max_epochs=epochs)
    (folder / "logs").mkdir()
    rng, rows = random.Random(seed), []
    for point in range(points):
        params = space("mlp").suggest(ExploringTrial(rng, {}), spec)
        assignment = Assignment(
            id=f"trial-{point}-0-0",
            kind="trial",
            members=(Member(point, 0, 0, "mlp", params, seed),),
            spec=spec,
            data=prepared.ref,
            metric=task.metric,
            direction=task.direction,
            max_resource=epochs,
            keep_better_than=1.0,
        )
        (outcome,) = perform(assignment, Deaf(), Places(data=folder, search=folder))
        shown = {name: f"{value:.5g}" if isinstance(value, float) else value for name, value in params.items()}
        rows.append({**shown, "accuracy": f"{outcome.value or 0.0:.5f}"})
    return rows


if __name__ == "__main__":
    main()
