"""Where a figure comes from: machine, commit and command, above each Markdown table. Measures nothing."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[2]


def markdown(title: str, header: Sequence[str], rows: Sequence[Sequence[object]], notes: Sequence[str] = ()) -> str:
    """Return a section for `reports/benchmarks.md`: origin, table, notes."""
    lines = [f"## {title}", "", origin(), ""]
    lines += [_row(header), _row(["---"] * len(header)), *map(_row, rows)]
    if notes:
        lines += ["", *(f"- {note}" for note in notes)]
    return "\n".join(lines) + "\n"


def origin() -> str:
    """Return date, machine, commit and command on one line."""
    command = " ".join(["python", *map(shlex.quote, [_relative(sys.argv[0]), *sys.argv[1:]])])
    machine = f"{_cpu()}, {len(os.sched_getaffinity(0))} cores, yardstick {_yardstick():.2f} s"
    return f"{date.today()} · {machine} · commit {_commit()} · `{command}`"


def _yardstick() -> float:
    """Seconds that this machine takes, now, to add ten million numbers in Python: figures of two days compare by it."""

    def once() -> float:
        began, total = time.perf_counter(), 0
        for number in range(10_000_000):
            total += number
        return time.perf_counter() - began

    return min(once() for _ in range(3))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median and, in brackets, the least and the greatest."""
    return f"{median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def _relative(script: str) -> str:
    path = Path(script).resolve()
    return str(path.relative_to(REPOSITORY)) if path.is_relative_to(REPOSITORY) else path.name


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(REPOSITORY), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "automl", "search_spaces", "lightning_modules")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
