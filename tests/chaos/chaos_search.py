"""The command that chaos kills and starts again: `automl search`, with workers that log their executions.

`python chaos_search.py real|made-up TASK --name NAME --trials N --seed S --epochs E`. Exits as the command line would; prints the
document as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

import automl
from automl.config import Budget, SearchConfig
from automl.errors import AutoMLError
from automl.executors.base import Executor
from automl.executors.devices import Seat
from automl.executors.local import LocalExecutor
from automl.worker.perform import Places

PRELOAD = {"perform": ("automl.worker.preload",), "perform_made_up": ()}


def executor(perform: str, config: SearchConfig, seats: tuple[Seat, ...], places: Places) -> Executor:
    """Local workers with another way to work."""
    return LocalExecutor(seats, places, perform=f"chaos_workers:{perform}", preload=PRELOAD[perform])


def main() -> int:
    """Search, or go on with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials_are", choices=("real", "made-up"))
    parser.add_argument("task")
    parser.add_argument("--name", required=True)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    args = parser.parse_args()
    perform = "perform" if args.trials_are == "real" else "perform_made_up"
    config = SearchConfig(
        families=("mlp",),
        budget=Budget(trials=args.trials),
        max_epochs=args.epochs,
        seed=args.seed,
        workers=2,
        max_attempts=6,
        confirm_seeds=1,
    )
    try:
        document = automl.search(args.task, config, name=args.name, executor_for=partial(executor, perform))
    except AutoMLError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
