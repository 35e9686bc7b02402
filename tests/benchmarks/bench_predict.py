"""Memory and time of `automl predict` on a million rows of 30 columns, and of load + first prediction. Prints Markdown.

    .venv/bin/python tests/benchmarks/bench_predict.py [ROWS]

Makes an untrained model of breast_cancer's 30 columns in a temporary folder; each figure is of the command as a process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from provenance import markdown, spread

HERE = Path(__file__).resolve().parent
WATCH = """import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""
"""A small process in between: the high-water mark of a child starts with its parent's memory."""
FIRST = """import sys, time
began = time.perf_counter()
import numpy as np
from automl import load_model
load_model(sys.argv[1]).predict(np.zeros((1, 30)))
print(time.perf_counter() - began)"""


def make_bundle(root: Path) -> Path:
    """Export untrained weights; returns the bundle's folder."""
    from safetensors.torch import save

    from automl import catalog
    from automl.bundle import Facts
    from automl.data import prepare, spec_for
    from automl.export import publish
    from automl.messages import Assignment, Member
    from automl.tasks import load_task
    from automl.worker.exporting import export
    from automl.worker.perform import Places

    task = load_task("breast_cancer")
    prepared = prepare(task, seed=0, data_folder=root / "data")
    spec, params = spec_for(task, prepared), catalog.space("mlp").DEFAULT
    weights = {name: tensor.clone() for name, tensor in catalog.module("mlp", spec, params).state_dict().items()}
    (root / "weights.safetensors").write_bytes(save(weights))
    member = Member(0, 0, 0, "mlp", params, 0, "weights.safetensors")
    assignment = Assignment("export-0-0-0", "export", (member,), spec, prepared.ref, task.metric, task.direction, 1)
    export(assignment, Places(data=root / "data", search=root))
    facts = Facts(task.name, "mlp", "bench", 0, 0, task.metric, task.direction, {}, prepared.ref.content)
    return publish(root / "staging" / assignment.id, root / "exports", facts)


def write_rows(root: Path, rows: int) -> dict[str, Path]:
    """Write the same random rows as CSV, Parquet and .npy."""
    from automl.tasks import load_task

    columns = load_task("breast_cancer").read().columns
    files = {suffix: root / f"rows.{suffix}" for suffix in ("csv", "parquet", "npy")}
    values = np.random.default_rng(0).normal(size=(rows, len(columns))).round(4)
    np.save(files["npy"], values)
    frame = pd.DataFrame(values, columns=list(columns))
    frame.to_parquet(files["parquet"])
    frame.to_csv(files["csv"], index=False)
    return files


def measure(*command: str) -> tuple[float, float]:
    """Run a command; returns seconds and its peak memory in MB."""
    seconds, kilobytes = _said(sys.executable, "-c", WATCH, *command).split()
    return float(seconds), float(kilobytes) / 1024


def main() -> None:
    """Print the section for `reports/benchmarks.md`."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    table = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        bundle, files = make_bundle(root), write_rows(root, rows)
        for suffix, path in files.items():
            out = str(root / "out.csv")
            seconds, memory = measure(sys.executable, "-m", "automl", "predict", str(bundle), str(path), "--out", out)
            what = f"{rows:,} rows x 30 from .{suffix} ({path.stat().st_size / 1e6:.0f} MB)"
            table.append((what, f"{seconds:.1f} s", f"{memory:.0f} MB"))
        firsts = [float(_said(sys.executable, "-c", FIRST, str(bundle))) for _ in range(5)]
        table.append(("load + first prediction in a fresh process, 5 times", f"{spread(firsts)} s", ""))
    print(markdown("Predicting", ("what", "time", "peak memory of the process"), table))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
