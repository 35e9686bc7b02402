"""`automl.search` from Python: no `__main__` guard is needed, and no file either."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import automl
from automl.config import Budget, SearchConfig

config = SearchConfig(families=("mlp",), budget=Budget(trials=2), max_epochs=2, confirm_seeds=1, tracking=False)
document = automl.search("wine", config)
print("slots", document["slots"]["planned"], document["verdict"])
"""
SHORT = """
import automl
from automl.config import Budget, SearchConfig
from automl.coordinator.events import Closed, PhaseBegan
from automl.errors import Stopped

closed = []

def observe(event):
    if isinstance(event, Closed):
        closed.append(event)
    if event == PhaseBegan("confirm"):
        raise Stopped("enough")

try:
    config = SearchConfig(families=("mlp",), budget=Budget(trials=2), max_epochs=2, tracking=False)
    automl.search("wine", config, observer=observe)
except Stopped:
    print("slots", len(closed))
"""


def check(command: list[str], folder: Path, stdin: str | None = None) -> None:
    """Run Python; the script's last line must appear once: workers must not run the script again."""
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("slots 2") == 1


def test_a_script_without_a_main_guard_works(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    check([sys.executable, "script.py"], tmp_path)


def test_a_script_from_standard_input_works(tmp_path: Path) -> None:
    """Up to the last trial: what follows is as above."""
    check([sys.executable, "-"], tmp_path, stdin=SHORT)
