"""A search in a child process that can be killed for real: a small task, torch-free trials, the command line's own exit codes.

Run as a script this is the child. No assertion belongs here.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LEFT_OUT = 1
"""Exit code of a toy search that went well up to its refit, which is left out."""
AT_ONCE = 3.0
"""Seconds. One is promised; two tests side by side on a slow machine take a little longer. What waits for a worker takes ten."""
WINE = (
    "search",
    "wine",
    "--families",
    "mlp",
    "--max-epochs",
    "3",
    "--trials",
    "2",
    "--set",
    "mlp.width=32",
    "--set",
    "mlp.depth=1",
)

FAMILY = """
import torch
from lightning_modules.mlp import Module as Mlp


class Module(Mlp):
    def __init__(self, spec, *, x, kind):
        super().__init__(spec, depth=1, width=8, dropout=0.0)
"""
SPACE = """
INPUTS = ("table",)
DEFAULT = {"x": 0.5, "kind": "a"}


def suggest(trial, spec):
    return {"x": trial.suggest_float("x", 0.0, 1.0), "kind": trial.suggest_categorical("kind", ["a", "b"])}
"""


def add_family(folder: Path, name: str = "bowl", space: str = SPACE, module: str = FAMILY) -> str:
    """Write a family's two files below `folder`; returns the folder for `--families-from`."""
    for package, text in (("search_spaces", space), ("lightning_modules", module)):
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / f"{name}.py").write_text(text)
    return str(folder)


def toy_task(rows: int = 120) -> Any:
    """Four columns of noise and a class that follows the first."""
    import numpy as np

    from automl.tasks.task import Rows, Task

    def read() -> Rows:
        features = np.random.default_rng(0).normal(size=(rows, 4))
        return Rows(features, ("a", "b", "c", "d"), np.where(features[:, 0] > 0, "yes", "no"))

    objectives = (("log_loss", "minimize"),)
    return Task("toy", "Toy", "classification", "table", "y", objectives, read, source="made up")


def perform(assignment: Any, channel: Any, places: Any) -> Any:
    """Stub trials and confirmations; what follows is real with `REAL_END`, so that a search ends with a bundle, else left out."""
    if assignment.kind in ("trial", "confirm"):
        import stub_worker

        ticks = float(os.environ.get("STUB_TICKS", "0")) if assignment.kind == "trial" else 0.0
        until = time.monotonic() + ticks
        while time.monotonic() < until:
            channel.tick()
            time.sleep(0.05)
        return stub_worker.perform(assignment, channel, places)
    if "REAL_END" not in os.environ:
        from automl.messages import Outcome

        return (Outcome(assignment.id, 0, "failed", reason="left out"),)
    from automl.worker.perform import perform as really

    return really(assignment, channel, places)


def stub_executor(config: Any, seats: Any, places: Any) -> Any:
    """Local workers that import no torch before the refit."""
    from automl.executors.local import LocalExecutor

    return LocalExecutor(
        seats,
        places,
        families_from=config.families_from,
        stall_timeout=config.stall_timeout,
        kill_after=0.3,
        perform="faultlib:perform",
        preload=("stub_worker",),
    )


class Child:
    """A search in a process of its own, in `folder`, and everything that it started."""

    def __init__(self, folder: Path, command: list[str], **popen: Any) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        paths = [str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        extra = popen.pop("env", {})
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "FAULT_MARK": self.mark, **extra}
        self._errors = folder / f"stderr-{self.mark}.txt"
        with open(self._errors, "wb") as errors:
            settings = {"cwd": folder, "env": env, "stdout": subprocess.PIPE, "stderr": errors, **popen}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **settings)

    @property
    def errors(self) -> str:
        """What it has written to stderr so far."""
        return self._errors.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to the coordinator alone."""
        self.process.send_signal(number)

    def end(self, timeout: float = 60.0) -> int:
        """Wait for the end; returns the exit code as a shell shows it."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise
        return 128 - code if code < 0 else code

    def output(self) -> str:
        """Return what it wrote to stdout, to its end."""
        assert self.process.stdout is not None
        return str(self.process.stdout.read().decode())

    def living(self) -> list[int]:
        """Processes that it started, itself included, zombies excluded: found by a mark that they inherit."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if f"FAULT_MARK={self.mark}".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def commands(self) -> list[str]:
        """Command lines of what lives."""
        lines = []
        for pid in self.living():
            try:
                lines.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return lines

    def kill_all(self) -> None:
        """End whatever it started."""
        for pid in self.living():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


class Search(Child):
    """The toy search with stub trials, under the command line's own error handling."""

    def __init__(
        self,
        folder: Path,
        *,
        misbehave: str = "",
        pause: float = 0.0,
        rows: int = 120,
        real_end: bool = False,
        space: str = SPACE,
        popen: dict[str, Any] | None = None,
        **choices: Any,
    ) -> None:
        search = folder / ".automl" / "searches" / "toy-0"
        search.mkdir(parents=True, exist_ok=True)
        (search / "misbehave").write_text(misbehave)
        self.search = search
        families = add_family(folder / "families", space=space)
        config = {
            "families": ["bowl"],
            "families_from": families,
            "max_epochs": 5,
            "confirm_seeds": 1,
            "tracking": False,
            "workers": 2,
            "pruner": "none",
            "budget": {"trials": 6},
            **choices,
        }
        popen = popen or {}
        env = {"STUB_PAUSE": str(pause), **({"REAL_END": "1"} if real_end else {}), **popen.pop("env", {})}
        config = json.dumps({"config": config, "rows": rows})
        super().__init__(folder, [sys.executable, str(HERE / "faultlib.py"), config], env=env, **popen)

    def wait_for_trials(self, count: int = 1, timeout: float = 30.0) -> None:
        """Wait until workers have begun so many assignments."""
        until(lambda: self.executions() >= count, timeout, lambda: self.errors)

    def executions(self, prefix: str = "trial-") -> int:
        """Assignments begun by workers so far."""
        log = self.search / "executions.log"
        return sum(line.startswith(prefix) for line in log.read_text().splitlines()) if log.exists() else 0


Start = Callable[..., Search]
"""What the fixture `start` gives."""


def ledger_rows(search: Path, query: str) -> list[tuple[Any, ...]]:
    """Read a ledger beside our own code."""
    database = sqlite3.connect(f"file:{search / 'ledger.db'}?mode=ro", uri=True)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def finals(search: Path) -> list[int]:
    """Slots that are final, each as often as it is."""
    return [
        slot for (slot,) in ledger_rows(search, "SELECT slot FROM attempt WHERE final AND kind = 'trial' ORDER BY slot")
    ]


def until(condition: Callable[[], bool], timeout: float, why: Callable[[], str] = lambda: "") -> float:
    """Wait for a condition; returns the seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout:
            raise AssertionError(f"not within {timeout} s. {why()}")
        time.sleep(0.01)
    return time.monotonic() - began


def automl(*arguments: str, cwd: Path, env: dict[str, str] | None = None, timeout: float = 90.0) -> Any:
    """Run the real command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "automl", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def main() -> None:
    """Be the child: a hidden command beside the real ones, so that errors leave as they do for people."""
    from automl.cli.live import live_view
    from automl.cli.main import app, run
    from automl.cli.output import print_json
    from automl.config import make_config
    from automl.run import search

    settings = json.loads(sys.argv[1])

    def toy() -> None:
        config = make_config(**settings["config"])
        with live_view(quiet=False) as view:
            print_json(search(toy_task(settings["rows"]), config, observer=view, executor_for=stub_executor))

    app.command("toy")(toy)
    sys.exit(run(["toy"]))


if __name__ == "__main__":
    main()
