"""An isolated interpreter that checks a bundle: it shares nothing with the search, and has imported what it needs before it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from automl.catalog import homes
from automl.errors import StorageError

_START = """import os, sys
sys.path[:0] = sys.argv.pop(1).split(os.pathsep)
from automl.bundle.verify import main
code = main(sys.argv[1:])
sys.stderr.flush()
os._exit(code)
"""
"""Ends at once: to take the interpreter apart, with torch in it, lasts a second that the search would wait for."""


class CleanProcess:
    """Starts at once, so that its imports (seconds) pass while the bundle is still being made; ends with the block.

    It ends too when this process does: its standard input is then closed.
    """

    def __init__(self, families_from: str | None = None) -> None:
        source = os.pathsep.join(dict.fromkeys([*homes(), str(Path(__file__).resolve().parents[2])]))
        families = [families_from] if families_from else []
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, source, *families],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C reaches only the coordinator
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def verify(self, folder: Path) -> None:
        """Load the bundle there and compare its example rows; once per process. Raises StorageError with what was said."""
        _, said = self._process.communicate(f"{folder.resolve()}\n")
        if self._process.returncode:
            lines = said.strip().splitlines() or [f"ended with code {self._process.returncode}"]
            raise StorageError(
                f"The exported bundle does not verify: {lines[-1]}", hint="Run the same command again to export anew."
            )


def verify_in_clean_process(folder: Path) -> None:
    """Check the bundle in a new `CleanProcess`. Raises StorageError."""
    with CleanProcess() as process:
        process.verify(folder)
