"""What `automl search digits` finds over several seeds, and what MLflow costs when it is on, away or off. Prints Markdown.

The second table fixes all that timing could change (random sampler, no pruner, one family), so that each run trains the same
epochs and only the tracking differs; runs are interleaved.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from provenance import markdown, spread

AUTOML = str(Path(sys.executable).with_name("automl"))
PHASES = ("start", "search", "confirm", "export", "report", "sync")
EQUAL_WORK = ("--families", "mlp", "--sampler", "random", "--pruner", "none", "--trials", "100", "--max-epochs", "20")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="of each state of MLflow")
    parser.add_argument("--quick", action="store_true", help="a tiny run that proves the script, not the product")
    args = parser.parse_args()
    small = ("--trials", "3", "--max-epochs", "2") if args.quick else ()
    seeds, repeats = (1, 1) if args.quick else (args.seeds, args.repeats)
    print(quality_table([search("--seed", str(seed), *small) for seed in range(seeds)]))
    states: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
        "off": (("--no-tracking",), {}),
        "away": ((), {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{closed_port()}"}),
        "on": ((), {}),
    }
    measured: dict[str, list[dict[str, Any]]] = {state: [] for state in states}
    for _ in range(repeats):
        for state, (flags, environ) in states.items():
            measured[state].append(search(*EQUAL_WORK, *small, *flags, **environ))
    print(tracking_table(measured))


def search(*arguments: str, **environ: str) -> dict[str, Any]:
    """Run one search in an empty folder; returns its document with the command's wall time as `wall`."""
    kept = {key: value for key, value in os.environ.items() if key not in ("AUTOML_HOME", "MLFLOW_TRACKING_URI")}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [AUTOML, "search", "digits", "--json", *arguments]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env={**kept, **environ}, stdout=subprocess.PIPE, text=True)
        wall = time.perf_counter() - began
    document: dict[str, Any] = json.loads(done.stdout)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {document}")
    print(f"{' '.join(arguments)}: {wall:.1f} s", file=sys.stderr)
    return {**document, "wall": wall}


def quality_table(documents: list[dict[str, Any]]) -> str:
    """A row per seed, and the medians."""
    rows = [
        (
            document["seed"],
            f"{document['best']['test']:.4f}",
            document["best"]["family"],
            document["verdict"],
            document["epochs"],
            *(f"{document['phases'][phase]:.1f}" for phase in PHASES),
            f"{document['wall']:.1f}",
        )
        for document in documents
    ]
    tests, walls = ([each[key] for each in documents] for key in ("best", "wall"))
    phases = (f"{median(document['phases'][phase] for document in documents):.1f}" for phase in PHASES)
    epochs = median(document["epochs"] for document in documents)
    middle = f"{median(best['test'] for best in tests):.4f}"
    rows.append(("median", middle, "", "", f"{epochs:.0f}", *phases, f"{median(walls):.1f}"))
    header = ("seed", "test accuracy", "family", "verdict", "epochs", *(f"{phase} s" for phase in PHASES), "command s")
    return markdown("`automl search digits`, default settings", header, rows)


def tracking_table(measured: dict[str, list[dict[str, Any]]]) -> str:
    """A row per state of MLflow, against off."""
    off = median(document["phases"]["search"] for document in measured["off"])
    rows = []
    for state, documents in measured.items():
        seconds = [document["phases"]["search"] for document in documents]
        epochs = sorted({document["epochs"] for document in documents})
        rows.append((state, spread(seconds), f"{100 * (median(seconds) / off - 1):+.1f} %", epochs))
    notes = [
        f"`automl search digits {' '.join(EQUAL_WORK)}`, interleaved; epochs over all phases, equal where work is."
    ]
    header = ("MLflow", "search phase, s", "against off", "epochs")
    return markdown("What MLflow costs", header, rows, notes)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
