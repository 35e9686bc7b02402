"""The command line as a process, and a search that it has finished. Used by the tests beside this file."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.cli.main import run

AUTOML = str(Path(sys.executable).with_name("automl"))
SMALL = ("--families", "mlp", "--max-epochs", "3", "--workers", "1")


@dataclass(frozen=True, slots=True)
class Command:
    """The command line in one folder; state, exports and MLflow's file land there."""

    folder: Path

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `automl` with these arguments; output is captured."""
        command = [AUTOML, *arguments]
        return subprocess.run(command, cwd=self.folder, env={**os.environ, **environ}, capture_output=True, text=True)

    def json(self, *arguments: str, **environ: str) -> Any:
        """Run it with `--json`; returns the document, and fails with what was printed where the command fails."""
        done = self.run(*arguments, "--json", **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it within this process, which has imported everything: for commands that only look."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def look(self, *arguments: str) -> Any:
        """Run it with `--json` within this process; returns the document."""
        done = self.here(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def stop_at(self, words: str, *arguments: str) -> None:
        """Run it until it says these words on stderr, then Ctrl-C; fails where it ends otherwise."""
        with subprocess.Popen([AUTOML, *arguments], cwd=self.folder, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            said = next((line for line in process.stderr if words in line), "")
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read()
        assert (words in said, process.returncode) == (True, 130), rest


@dataclass(frozen=True, slots=True)
class Finished:
    """A search that is over. Look, do not touch."""

    command: Command
    document: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Its working folder."""
        return self.command.folder
