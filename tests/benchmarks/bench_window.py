"""Does it hurt to bound what the sampler sees? Best value after 2,000 trials with and without the window. Prints Markdown.

Three problems: Hartmann-6; a mixed function of eight parameters, two of them choices; and a recorded task, a random forest
over real results of the digits MLP (`record_digits_mlp.py`). The study is driven as the coordinator drives it, without
pruning; both arms see the same slot seeds. Lower is better throughout.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
from provenance import markdown
from scipy.stats import wilcoxon
from sklearn.ensemble import RandomForestRegressor

from automl.catalog import space
from automl.coordinator.seeds import slot_seed
from automl.coordinator.study import WINDOW, FamilyStudy
from automl.messages import Field, Outcome, Spec

TABLE = Path(__file__).resolve().parent / "data" / "digits_mlp.csv"
UNBOUNDED = 1 << 60
SPEC = Spec((Field("image", "image", (1, 8, 8)),), (Field("y", "class", (10,)),), 1150, 10, "cross_entropy")
Objective = Callable[[dict[str, Any]], float]

# Hartmann-6 (Dixon and Szegö 1978): minimum -3.32237.
_ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann(params: dict[str, Any]) -> float:
    """Six numbers in 0..1."""
    point = np.array([params[f"x{number}"] for number in range(6)])
    return float(-_ALPHA @ np.exp(-(_A * (point - _P) ** 2).sum(axis=1)))


def suggest_hartmann(trial: Any, spec: Spec) -> dict[str, Any]:
    """Search space of Hartmann-6."""
    return {f"x{number}": trial.suggest_float(f"x{number}", 0.0, 1.0) for number in range(6)}


def mixed(params: dict[str, Any]) -> float:
    """Rosenbrock or Ackley over six numbers by a choice, scaled alike, with an offset by another one; minimum 0 for both."""
    point = np.array([params[f"x{number}"] for number in range(6)])
    if params["valley"] == "rosenbrock":
        steps = 100 * (point[1:] - point[:-1] ** 2) ** 2 + (1 - point[:-1]) ** 2
        value = math.log1p(float(steps.sum()))
    else:
        root, waves = math.sqrt(float((point**2).mean())), float(np.cos(2 * math.pi * point).mean())
        value = 20 + math.e - 20 * math.exp(-0.2 * root) - math.exp(waves)
    return value + {"a": 0.0, "b": 0.3, "c": 1.0}[params["offset"]]


def suggest_mixed(trial: Any, spec: Spec) -> dict[str, Any]:
    """Search space of the mixed function."""
    return {
        **{f"x{number}": trial.suggest_float(f"x{number}", -2.0, 2.0) for number in range(6)},
        "valley": trial.suggest_categorical("valley", ["rosenbrock", "ackley"]),
        "offset": trial.suggest_categorical("offset", ["a", "b", "c"]),
    }


class Recorded:
    """Validation error of the digits MLP, read off a forest that was fitted to recorded results."""

    def __init__(self, table: Path) -> None:
        with table.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        errors = [1.0 - float(row.pop("accuracy")) for row in rows]
        self._forest = RandomForestRegressor(100, min_samples_leaf=2, random_state=0)
        self._forest.fit([self._features(row) for row in rows], np.log(np.array(errors) + 1e-3))
        self.rows = len(rows)

    def __call__(self, params: dict[str, Any]) -> float:
        """Log of the error."""
        return float(self._forest.predict([self._features(params)])[0])

    def _features(self, params: dict[str, Any]) -> list[float]:
        logs = [math.log(float(params[name])) for name in ("width", "lr", "weight_decay", "batch_size")]
        linear = [float(params[name] or 0.0) for name in ("depth", "dropout", "label_smoothing")]
        momentum = float(params.get("momentum") or 0.0)
        chosen = [params["optimizer"] == name for name in ("sgd", "adam", "adamw", "adagrad")]
        schedule = [params["schedule"] == name for name in ("constant", "cosine", "one_cycle")]
        return [*logs, *linear, momentum, *map(float, chosen), *map(float, schedule)]


def problems() -> dict[str, tuple[Any, Objective]]:
    """Name -> (search space, objective)."""
    recorded = Recorded(TABLE)
    centre = {f"x{number}": 0.5 for number in range(6)}
    hartmann_space = SimpleNamespace(INPUTS=("table",), DEFAULT=centre, suggest=suggest_hartmann)
    start = {**centre, "valley": "rosenbrock", "offset": "b"}
    mixed_space = SimpleNamespace(INPUTS=("table",), DEFAULT=start, suggest=suggest_mixed)
    return {
        "Hartmann-6": (hartmann_space, hartmann),
        "mixed 8-D": (mixed_space, mixed),
        f"digits MLP, log error, forest on {recorded.rows} points": (space("mlp"), recorded),
    }


def best_after(space: Any, objective: Objective, *, trials: int, seed: int, window: int) -> tuple[float, float]:
    """Return the best value of one search, and its seconds."""
    study = FamilyStudy(space, SPEC, direction="minimize", sampler="tpe", pruner="none", seed=seed, window=window)
    best, began = math.inf, time.perf_counter()
    for slot in range(trials):
        value = objective(study.propose(slot, slot_seed(seed, slot)).params)
        study.tell(slot, Outcome(f"trial-{slot}-0-0", 0, "complete", value=value))
        best = min(best, value)
    return best, time.perf_counter() - began


def main() -> None:
    """Run both arms, seed by seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--window", type=int, default=WINDOW)
    args = parser.parse_args()
    rows = []
    for name, (space_, objective) in problems().items():
        arms: dict[int, list[tuple[float, float]]] = {args.window: [], UNBOUNDED: []}
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            for window, found in arms.items():
                found.append(best_after(space_, objective, trials=args.trials, seed=seed, window=window))
            print(f"{name}, seed {seed}: {arms[args.window][-1]} {arms[UNBOUNDED][-1]}", file=sys.stderr)
        rows.append(row(name, arms[args.window], arms[UNBOUNDED], args.trials))
    header = ("problem", f"window {args.window}", "unbounded", "window better", "Wilcoxon p (two-sided)", "ms/trial")
    seeds = f"seeds {args.first_seed} to {args.first_seed + args.seeds - 1}"
    notes = [f"Median best of {seeds} after {args.trials} trials, TPE; lower is better. ms/trial: window, unbounded."]
    print(markdown("Bounding the sampler's history", header, rows, notes))


def row(
    name: str, bounded: list[tuple[float, float]], free: list[tuple[float, float]], trials: int
) -> tuple[object, ...]:
    """Compare the arms on equal seeds."""
    (mine, my_seconds), (other, other_seconds) = (zip(*arm, strict=True) for arm in (bounded, free))
    differences = np.subtract(mine, other)
    better = f"{(differences < 0).sum()} of {len(differences)}, {(differences == 0).sum()} equal"
    p = "1" if not differences.any() else f"{wilcoxon(differences).pvalue:.2f}"
    took = [f"{1e3 * median(seconds) / trials:.1f}" for seconds in (my_seconds, other_seconds)]
    return name, f"{median(mine):.4f}", f"{median(other):.4f}", better, p, " / ".join(took)


if __name__ == "__main__":
    main()
