"""The trials of a search and its tracking, without what follows them (confirmation, export, report).

The same parts that `automl.run.search` puts together, so that "until the last final slot" and "until MLflow is in step" are
not blurred by later phases. Run by `bench_speed.py` in an empty folder; prints one JSON object. Times count from the start
of this file, before anything heavy is imported.
"""

# ruff: noqa: E402
from __future__ import annotations

import time

BEGAN = time.perf_counter()

import argparse
import json
from contextlib import ExitStack, closing
from typing import Any

from automl.catalog import space
from automl.config import Budget, SearchConfig
from automl.coordinator.events import Placed, SearchEvent
from automl.coordinator.loop import Coordinator
from automl.coordinator.opening import describe
from automl.coordinator.space import overrides_for
from automl.coordinator.study import FamilyStudy
from automl.coordinator.trials import TrialDecision
from automl.data import prepare, spec_for
from automl.executors.devices import Seat
from automl.executors.local import LocalExecutor
from automl.ledger import Attempt, Home, Ledger, SearchLock
from automl.tasks import load_task
from automl.tracking.postman import Postman
from automl.tracking.views import open_views
from automl.worker.perform import Places

FAMILY = "mlp"


class Stopwatch:
    """Notes when the first assignment left."""

    def __init__(self) -> None:
        self.first_assignment = 0.0

    def __call__(self, event: SearchEvent) -> None:
        """Be the coordinator's observer."""
        if isinstance(event, Placed) and not self.first_assignment:
            self.first_assignment = time.perf_counter() - BEGAN


def main() -> None:
    """Run the trials, then wait for MLflow."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="each with one thread")
    parser.add_argument("--pruner", default="auto")
    parser.add_argument("--only-default", action="store_true", help="give every slot the family's default")
    args = parser.parse_args()
    fixed = {f"{FAMILY}.{name}": str(value) for name, value in space(FAMILY).DEFAULT.items()}
    config = SearchConfig(
        families=(FAMILY,),
        budget=Budget(trials=args.trials),
        seed=args.seed,
        max_epochs=args.epochs,
        pruner=args.pruner,
        overrides=fixed if args.only_default else {},
    )
    print(json.dumps(run(config, args.workers)))


def run(config: SearchConfig, workers: int) -> dict[str, Any]:
    """Return the figures of one search's trials."""
    task, home, stopwatch = load_task("digits"), Home.from_environment(), Stopwatch()
    folder = home.search("bench")
    home.create()
    folder.create()
    with ExitStack() as stack:
        stack.enter_context(SearchLock(folder.root))
        ledger = stack.enter_context(closing(Ledger.open(folder.ledger)))
        executor = LocalExecutor((Seat("cpu", 1),) * workers, Places(home.data, folder.root))
        stack.callback(executor.stop)
        executor.start()
        prepared = prepare(task, seed=config.seed, data_folder=home.data)
        spec = spec_for(task, prepared, max_epochs=config.max_epochs)
        header = describe(folder.name, task, config, config.families, prepared, spec)
        ledger.begin(header)
        postmen = stack.enter_context(open_views(ledger, header, folder, mlflow=True, warn=lambda text: None))
        study = FamilyStudy(
            space(FAMILY),
            spec,
            direction=task.direction,
            sampler=config.sampler,
            pruner=config.pruner,
            seed=config.seed,
            overrides=overrides_for(FAMILY, config.overrides),
        )
        decision = TrialDecision(
            {FAMILY: study},
            spec,
            prepared.ref,
            config,
            metric=task.metric,
            direction=task.direction,
            discard=folder.discard,
        )
        coordinator = Coordinator(ledger, executor, folder.results, observer=stopwatch, postmen=postmen)
        coordinator.carry_out(decision, "trial")
        last_final = time.perf_counter() - BEGAN
        # `optuna` stands first and shares the processor with the workers' end; only MLflow's step is asked for.
        in_step = wait_for(next(postman for postman in postmen if postman.view == "mlflow"))
        trials = ledger.attempts(kind="trial", final=True)
    return {
        "first_assignment": stopwatch.first_assignment,
        "last_final": last_final,
        "in_step": in_step,
        **summary(trials),
    }


def wait_for(postman: Postman) -> float:
    """Drain a view to the last message; returns the time since the start. A view that stays behind is an error."""
    if pending := postman.drain(patience=120.0):
        raise SystemExit(f"{postman.view} is {pending} messages behind")
    return time.perf_counter() - BEGAN


def summary(trials: list[Attempt]) -> dict[str, Any]:
    """Return counts, costs and the best value (accuracy: more is better)."""
    ended = [(trial, trial.outcome) for trial in trials if trial.outcome is not None]
    return {
        "trials": len(trials),
        "pruned": sum(trial.state == "pruned" for trial in trials),
        "epochs": sum(outcome.steps for _, outcome in ended),
        "training": sum(outcome.cost["seconds"] for _, outcome in ended),
        "best": max(trial.value for trial, _ in ended if trial.state == "complete" and trial.value is not None),
    }


if __name__ == "__main__":
    main()
