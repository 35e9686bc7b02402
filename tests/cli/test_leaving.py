"""How the process of the command ends: everything that was printed is written, and nothing is torn down that could abort it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = "import atexit, sys; atexit.register(print, 'torn down'); from automl.cli.main import main; main()"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [("--version", 0, ""), ("tasks show nowhere.csv", 3, "no such file"), ("serch", 2, "No such")],
)
def test_the_interpreter_is_not_torn_down(line: str, code: int, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", _CODE, *line.split()], capture_output=True, text=True)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)
    assert "torn down" not in done.stdout
    assert said in done.stderr
