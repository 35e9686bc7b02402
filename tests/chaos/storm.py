"""Running a search under kill -9: start, kill at random moments, start again by the same command until it ends by itself.

Only descendants of the process that was started here are killed, by their ids as `/proc` shows them.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = Path(__file__).with_name("chaos_search.py")
_KINDS = ("coordinator", "worker", "server")
_WEIGHTS = (0.4, 0.5, 0.1)
_TURN = 0.02


@dataclass
class Storm:
    """Kills by a seeded generator, up to a number per search."""

    seed: int
    kills_each: int
    folder: Path
    pause: float = 0.4
    """Seconds that each epoch takes longer."""
    kills: Counter[str] = field(default_factory=Counter)
    starts: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def search(self, *arguments: str) -> None:
        """Run one search to its end under this storm's kills; a failure of its own is an AssertionError."""
        left = self.kills_each
        while True:
            self.starts += 1
            with open(self.folder / "stderr.log", "w+") as log:
                process = self._start(arguments, log.fileno())
                try:
                    left = self._strike(process, left)
                    code = process.wait(timeout=600)
                finally:
                    process.kill()
                    process.wait()
                log.seek(0)
                assert code in (0, -signal.SIGKILL), f"{arguments} ended with code {code}: {log.read()}"
            if code == 0:
                return

    def _start(self, arguments: tuple[str, ...], log: int) -> subprocess.Popen[bytes]:
        here = os.pathsep.join([str(COMMAND.parent), os.environ.get("PYTHONPATH", "")])
        environ = {**os.environ, "PYTHONPATH": here, "CHAOS_PAUSE": str(self.pause)}
        command = [sys.executable, str(COMMAND), *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=environ, stdout=subprocess.DEVNULL, stderr=log)

    def _strike(self, process: subprocess.Popen[bytes], left: int) -> int:
        """Kill until the process is dead, ends or none is left; returns how many are left."""
        while left and process.poll() is None:
            (kind,) = self._random.choices(_KINDS, _WEIGHTS)
            victim = self._find(kind, process)
            if victim is None:
                return left
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                self.kills[kind] += 1
                left -= 1
            if kind == "coordinator":
                break
        return left

    def _find(self, kind: str, process: subprocess.Popen[bytes]) -> int | None:
        """Wait for a random moment, and for a victim of that kind; None when the search ends before."""
        moment = time.monotonic() + self._random.uniform(0.0, 6.0 if kind == "coordinator" else 1.0)
        while process.poll() is None:
            server = next((pid for pid in children(process.pid) if is_server(pid)), None)
            workers = children(server) if server else []
            if time.monotonic() >= moment and (kind == "coordinator" or workers):
                return {"coordinator": process.pid, "server": server}.get(kind) or self._random.choice(workers)
            time.sleep(_TURN)
        return None


def children(parent: int | None) -> list[int]:
    """Ids of a process's children, ascending."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                # The name, in brackets, may hold spaces; the parent's id is the second field after it.
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(entry.name))
    return sorted(found)


def is_server(pid: int) -> bool:
    """Whether a process is a worker server, or forked from one."""
    with contextlib.suppress(OSError):
        return b"automl.worker.server" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False
