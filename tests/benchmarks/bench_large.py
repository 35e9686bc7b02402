"""A table of 500,000 rows and 30 columns: memory of all processes, time before the first trial, search, prediction. Prints Markdown.

    .venv/bin/python tests/benchmarks/bench_large.py [ROWS] [SECONDS]

Memory is the sum over the command's processes of their proportional share (PSS), so that pages which workers share count once; and of
it what is not mapped from files, which the system cannot take back. With AUTOML_MEMORY the rows are more than memory may hold.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from provenance import markdown
from pyarrow import csv

AUTOML = str(Path(sys.executable).with_name("automl"))
BLOCK = 250_000


def table(rows: int, seed: int) -> pd.DataFrame:
    """22 numbers with gaps, 6 categories of up to 500 levels, a date and a number to predict."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 22))  # with all their digits: 300 MB
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"x{place}" for place in range(22)])
    for place, levels in enumerate((3, 10, 30, 100, 300, 500)):
        frame[f"c{place}"] = np.array([f"{place} is of level {level:04}" for level in range(levels)])[
            rng.integers(0, levels, rows)
        ]
    days = rng.integers(0, 1500, rows)
    frame["day"] = (pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    known = np.nan_to_num(numbers)
    signal = (
        known[:, 0]
        + np.sin(2 * known[:, 1]) * known[:, 2]
        + 0.5 * (frame["c1"] == "1 is of level 0003")
        + np.sin(days / 58)
    )
    return frame.assign(y=(signal + rng.normal(size=rows)).round(5))


def write_csv(path: Path, rows: int, *, drop: tuple[str, ...] = ()) -> None:
    """Write a table block by block: each is drawn by a seed of its own."""
    writer = None
    for seed, start in enumerate(range(0, rows, BLOCK)):
        block = pa.Table.from_pandas(
            table(min(BLOCK, rows - start), seed).drop(columns=list(drop)), preserve_index=False
        )
        writer = writer or csv.CSVWriter(path, block.schema)
        writer.write_table(block)
    assert writer is not None
    writer.close()


class Memory(threading.Thread):
    """Samples the memory of a session's processes until told to stop."""

    def __init__(self, leader: int) -> None:
        super().__init__(daemon=True)
        self.peak, self.unmapped = 0.0, 0.0
        self._leader, self._ended = leader, threading.Event()

    def run(self) -> None:
        """Remember the largest sums, in GiB."""
        while not self._ended.wait(0.5):
            shares = [_share(process) for process in _descendants(self._leader)]
            self.peak = max(self.peak, sum(one for one, _ in shares) / 2**20)
            self.unmapped = max(self.unmapped, sum(one for _, one in shares) / 2**20)

    def stop(self) -> str:
        """Return the peaks."""
        self._ended.set()
        self.join()
        return f"{self.peak:.2f} GiB, {self.unmapped:.2f} not mapped from files"


def watched(command: list[str], folder: Path) -> tuple[str, float, str]:
    """Run a command; returns its output, seconds and peak memory."""
    began = time.monotonic()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        memory = Memory(process.pid)
        memory.start()
        printed = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {printed[-500:]}")
    return printed, time.monotonic() - began, memory.stop()


def main() -> None:
    """Print the section for `reports/benchmarks.md`."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    seconds = sys.argv[2] if len(sys.argv) > 2 else "120"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        write_csv(folder / "large.csv", rows)
        write_csv(folder / "new.csv", rows, drop=("y",))
        size = (folder / "large.csv").stat().st_size / 1e6
        search = [AUTOML, "search", "large.csv", "--target", "y", "--time", seconds, "--json"]
        printed, took, most = watched(search, folder)
        document = json.loads(printed)
        predict = [AUTOML, "predict", document["bundle"], "new.csv", "--out", "out.csv"]
        _, predicting, less = watched(predict, folder)
    limit = f"AUTOML_MEMORY={os.environ['AUTOML_MEMORY']}" if "AUTOML_MEMORY" in os.environ else "no limit of memory"
    best, slots, phases = document["best"], document["slots"], document["phases"]
    table_rows = [
        (
            f"search {rows:,} x 30 ({size:.0f} MB) for {seconds} s, {limit}",
            f"{took:.1f} s",
            most,
        ),
        ("of it before the search began", f"{phases['start']:.1f} s", ""),
        (f"predict the same {rows:,} rows", f"{predicting:.1f} s", less),
    ]
    notes = [
        f"{best['family']}, rmse {best['test']:.4f} on the test part (noise alone: 1), baselines {document['baselines']}; "
        f"slots {slots}; phases {phases}; {document['verdict']}."
    ]
    print(markdown("A large table", ("what", "time", "peak memory, all processes"), table_rows, notes))


def _descendants(leader: int) -> set[int]:
    """The process and all below it; workers are children of a server, carriers of the command."""
    parents = {int(entry): _parent(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()}
    found = {leader}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _parent(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def _share(process: int) -> tuple[float, float]:
    """In KiB: all, and what is not mapped from files."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    found = {line.split(":")[0]: float(line.split()[1]) for line in lines if line.startswith("Pss")}
    return found.get("Pss", 0.0), found.get("Pss_Anon", 0.0) + found.get("Pss_Shmem", 0.0)


if __name__ == "__main__":
    main()
