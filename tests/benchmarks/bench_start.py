"""How long a person waits: for `automl --help`, and for the first trained epoch of `automl search digits`. Prints Markdown.

Whole processes, warm (one run before that is not counted). The search runs with one epoch a trial, so that the ledger's time
of the first closed slot is the time of the first report, and is ended as soon as that is seen.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from provenance import markdown, spread

AUTOML = str(Path(sys.executable).with_name("automl"))


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    args = parser.parse_args()
    helps = [help_seconds() for _ in range(args.repeats + 1)][1:]
    first = [first_epoch_seconds() for _ in range(args.repeats + 1)][1:]
    rows = [
        ("`automl --help`", spread(helps)),
        ("`automl search digits`: first trial leaves for a worker", spread([placed for placed, _ in first])),
        ("`automl search digits`: first trial has trained an epoch", spread([trained for _, trained in first])),
    ]
    print(markdown("Start", ("what", f"seconds, median of {args.repeats} [least, greatest]"), rows))


def help_seconds() -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    subprocess.run([AUTOML, "--help"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def first_epoch_seconds() -> tuple[float, float]:
    """Seconds from the command to the first attempt's opening and closing."""
    environ = {key: value for key, value in os.environ.items() if key not in ("AUTOML_HOME", "MLFLOW_TRACKING_URI")}
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        ledger = Path(folder) / ".automl" / "searches" / "digits-0" / "ledger.db"
        began = time.time()
        command = [AUTOML, "search", "digits", "--max-epochs", "1", "--json"]
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
        try:
            while (found := first_closed(ledger)) is None:
                if process.poll() is not None:
                    raise SystemExit(f"the search ended with code {process.returncode} before its first trial")
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return found[0] / 1e3 - began, found[1] / 1e3 - began


def first_closed(ledger: Path) -> tuple[int, int] | None:
    """Wall clock (ms) of the first closed attempt's beginning and end, read beside the writer."""
    if not ledger.exists():
        return None
    query = "SELECT opened_ms, closed_ms FROM attempt WHERE closed_ms IS NOT NULL ORDER BY closed_ms LIMIT 1"
    try:
        with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as database:
            row: tuple[int, int] | None = database.execute(query).fetchone()
            return row
    except sqlite3.OperationalError:
        return None  # its tables are being made


if __name__ == "__main__":
    main()
