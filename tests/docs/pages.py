"""Commands in Markdown pages, and running them as a reader would. Knows nothing of what they should print beyond the page itself.

A fenced `console` block holds lines that begin with `$ ` and, below each, what it prints. Numbers may differ and `...` stands for any
text; a comment `# exit N` after a command names its exit code, and `# Ctrl-C ends it` stands after one that serves until then.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```(?:python|yaml)\n# ([\w./-]+\.(?:py|yaml))\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
_DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a page."""

    command: str
    expected: str
    exit_code: int
    serves: bool


def steps(page: str) -> list[Step]:
    """Return the commands of a page in reading order."""
    found = []
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            while command.endswith("\\"):
                more, _, expected = expected.partition("\n")
                command = f"{command[:-1]} {more.strip()}"
            code = re.search(r"# exit (\d+)", command)
            found.append(Step(command, expected, int(code[1]) if code else 0, "# Ctrl-C ends it" in command))
    return found


def files(page: str) -> dict[str, str]:
    """Return the files that a page asks its reader to write: a code block whose first line is a comment with the path."""
    return dict(_FILE.findall(page))


def run(step: Step, folder: Path) -> str:
    """Run a command in a folder and return what it printed on both streams; fails where the exit code is another one."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "120",
    }
    process = subprocess.Popen(
        ["bash", "-c", step.command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = ""
    if step.serves:
        while "http" not in first and (line := process.stdout.readline()):
            first += line
        os.killpg(process.pid, signal.SIGINT)
    printed = first + process.communicate(timeout=300)[0]
    assert process.returncode == (130 if step.serves else step.exit_code), f"$ {step.command}\n{printed}"
    return printed


def is_as_shown(step: Step, printed: str) -> bool:
    """Whether the command printed what the page shows, numbers and hashes aside; a page that shows nothing promises nothing."""
    return not step.expected.strip() or OutputChecker().check_output(
        _blurred(step.expected), _blurred(printed), ELLIPSIS | NORMALIZE_WHITESPACE
    )


def _blurred(text: str) -> str:
    return _NUMBER.sub("#", _DIGEST.sub("<hash>", text))
