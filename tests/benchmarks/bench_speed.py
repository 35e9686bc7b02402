"""Ours against a hand-written script and against the bare loop, interleaved in one run: `make bench`. Prints Markdown.

Each side runs as a process of its own in an empty folder, seed by seed in turn, so that a machine that slows down slows
all of them. (a) `handwritten.py`, (b) `trials_only.py` with 2 workers, (c) `bare_loop.py` against (d) `trials_only.py` with
one worker of one thread, no pruning and the default parameters in each slot.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from provenance import markdown, spread

HERE = Path(__file__).resolve().parent
Figures = dict[str, Any]


def main() -> None:
    """Measure each seed, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5, help="repeats, with seeds 0, 1, ...")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--quick", action="store_true", help="a tiny run that proves the script, not the product")
    args = parser.parse_args()
    trials, seeds, epochs = (6, 1, 3) if args.quick else (args.trials, args.seeds, args.epochs)
    unpruned = max(2, trials // 5)
    sides: dict[str, tuple[object, ...]] = {
        "hand": ("handwritten.py", "--trials", trials),
        "ours": ("trials_only.py", "--trials", trials, "--workers", 2),
        "bare": ("bare_loop.py", "--trials", unpruned),
        "solo": ("trials_only.py", "--trials", unpruned, "--workers", 1, "--pruner", "none", "--only-default"),
    }
    measured: dict[str, list[Figures]] = {side: [] for side in sides}
    for seed in range(seeds):
        for side, command in sides.items():
            measured[side].append(run(*command, "--seed", seed, "--epochs", epochs))
            print(f"seed {seed}: {side} took {measured[side][-1]['wall']:.1f} s", file=sys.stderr)
    print(speed_table(measured["hand"], measured["ours"], trials, epochs))
    print(quality_table(measured["hand"], measured["ours"], trials))
    print(epoch_table(measured["bare"], measured["solo"], unpruned, epochs))


def run(script: object, *arguments: object) -> Figures:
    """Run a script of this folder in an empty one; returns what it printed, and its wall time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        began = time.perf_counter()
        command = [sys.executable, str(HERE / str(script)), *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
        wall = time.perf_counter() - began
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return {**figures, "wall": wall}


def speed_table(hand: list[Figures], ours: list[Figures], trials: int, epochs: int) -> str:
    """Trials per minute, per seed and as ratios of the same seed."""
    by_hand = [rate(trials, each["optimize"]) for each in hand]
    by_hand_all = [rate(trials, each["total"]) for each in hand]
    final = [rate(trials, each["last_final"] - each["first_assignment"]) for each in ours]
    final_all = [rate(trials, each["last_final"]) for each in ours]
    in_step = [rate(trials, each["in_step"] - each["first_assignment"]) for each in ours]
    in_step_all = [rate(trials, each["in_step"]) for each in ours]
    rows = [
        ("(a) by hand, `study.optimize`", spread(by_hand, 0), "1"),
        ("(b) ours, first assignment to last final slot", spread(final, 0), ratios(final, by_hand)),
        ("(b) ours, first assignment to MLflow in step", spread(in_step, 0), ratios(in_step, by_hand)),
        ("(a) by hand, whole script with its imports", spread(by_hand_all, 0), "1"),
        ("(b) ours, command's start to last final slot", spread(final_all, 0), ratios(final_all, by_hand_all)),
        ("(b) ours, command's start to MLflow in step", spread(in_step_all, 0), ratios(in_step_all, by_hand_all)),
    ]
    notes = [
        f"{trials} trials of at most {epochs} epochs, {len(hand)} seeds: median [least, greatest]; ratios are of equal seeds.",
        f"Epochs trained: by hand {spread([each['epochs'] for each in hand], 0)}, "
        f"ours {spread([each['epochs'] for each in ours], 0)}; "
        f"pruned: {spread([each['pruned'] for each in hand], 0)} and {spread([each['pruned'] for each in ours], 0)}.",
        f"Wall time per epoch trained: by hand {spread([1e3 * each['optimize'] / each['epochs'] for each in hand], 1)} ms, ours "
        f"{spread([1e3 * (f['last_final'] - f['first_assignment']) / f['epochs'] for f in ours], 1)} ms: the rest of the ratio "
        "is the pruner's.",
        f"First assignment {spread([each['first_assignment'] for each in ours])} s after our start; "
        f"imports by hand {spread([each['import'] for each in hand])} s, "
        f"first trial {spread([each['first_trial'] for each in hand])} s.",
    ]
    return markdown("Speed: digits MLP with pruning", ("what", "trials/min", "times (a)"), rows, notes)


def quality_table(hand: list[Figures], ours: list[Figures], trials: int) -> str:
    """The best validation accuracy that each side found."""
    pairs = list(zip(hand, ours, strict=True))
    rows = [
        (f"seed {seed}", f"{theirs['best']:.4f}", f"{mine['best']:.4f}") for seed, (theirs, mine) in enumerate(pairs)
    ]
    middle = [f"{median([each['best'] for each in side]):.4f}" for side in (hand, ours)]
    rows.append(("median", middle[0], middle[1]))
    return markdown(f"Best validation accuracy after {trials} trials", ("", "(a) by hand", "(b) ours"), rows)


def epoch_table(bare: list[Figures], solo: list[Figures], trials: int, epochs: int) -> str:
    """Milliseconds per epoch of unpruned trials, one thread each."""
    per_epoch = {name: [1e3 * f["training"] / f["epochs"] for f in side] for name, side in (("c", bare), ("d", solo))}
    wall = [1e3 * (f["last_final"] - f["first_assignment"]) / f["epochs"] for f in solo]
    rows = [
        ("(c) bare loop", spread(per_epoch["c"]), "100 %"),
        (
            "(d) ours, inside the worker (outcome's seconds / epochs)",
            spread(per_epoch["d"]),
            share(per_epoch["d"], bare),
        ),
        ("(d) ours, first assignment to last final slot / epochs", spread(wall), share(wall, bare)),
    ]
    notes = [f"{trials} trials of {epochs} epochs, early stopping on in (d), the family's default, one thread."]
    header = ("what", "ms per epoch", "speed of the bare loop")
    return markdown("Cost of an unpruned epoch", header, rows, notes)


def rate(trials: int, seconds: float) -> float:
    """Trials per minute."""
    return 60 * trials / seconds


def ratios(ours: list[float], theirs: list[float]) -> str:
    """Ratios of equal seeds, as text."""
    return spread([mine / other for mine, other in zip(ours, theirs, strict=True)])


def share(milliseconds: list[float], bare: list[Figures]) -> str:
    """How much of the bare loop's speed is left, as text."""
    left = [1e5 * f["training"] / f["epochs"] / ms for f, ms in zip(bare, milliseconds, strict=True)]
    return f"{spread(left, 0)} %"


if __name__ == "__main__":
    main()
