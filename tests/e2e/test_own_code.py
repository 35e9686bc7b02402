"""A person's own code: `automl.search` from a script without a `__main__` guard, and a third family by two new files and nothing edited.

One search stands for both: the script searches the family.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import Command

from automl import catalog

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
SPACE = '''
"""One hidden layer."""

from ._training import training

INPUTS = ("table", "vector", "image")
DEFAULT = {"width": 64, "dropout": 0.1, "optimizer": "adamw", "lr": 1e-3, "schedule": "constant", "weight_decay": 1e-4,
           "batch_size": 128, "label_smoothing": 0.0}


def suggest(trial, spec):
    return {"width": trial.suggest_int("width", 16, 128, log=True), **training(trial, spec)}
'''
MODULE = '''
"""One hidden layer."""

import math

from torch import nn

from ._base import FamilyModule


class Module(FamilyModule):
    def __init__(self, spec, *, width, dropout, **training):
        super().__init__(spec, **training)
        inputs = math.prod(spec.input.shape)
        layers = nn.Linear(inputs, width), nn.LayerNorm(width), nn.Tanh(), nn.Dropout(dropout)
        self.network = nn.Sequential(nn.Flatten(), *layers, nn.Linear(width, spec.output_size))
'''
TWO_TRIALS = ("search", "digits", "--families", "third", "--trials", "2", "--max-epochs", "2", "--no-tracking")
SCRIPT = """
import json

import automl
from automl.config import Budget, SearchConfig

choices = {"families": ("third",), "families_from": "own", "max_epochs": 2, "confirm_seeds": 1, "tracking": False}
print(json.dumps(automl.search("digits", SearchConfig(budget=Budget(trials=2), **choices))))
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


def write_family(folder: Path) -> None:
    """Put the two files into `folder`."""
    for package, text in (("search_spaces", SPACE), ("lightning_modules", MODULE)):
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "third.py").write_text(text)


def output(command: list[str], folder: Path, stdin: str | None = None) -> str:
    """Run Python to its end; returns what it printed."""
    done = subprocess.run(command, cwd=folder, input=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a script prints that searches the third family, whose files lie in a folder beside it."""
    folder = tmp_path_factory.mktemp("script")
    write_family(folder / "own")
    (folder / "script.py").write_text(SCRIPT)
    return output([sys.executable, "script.py"], folder)


def test_a_script_without_a_main_guard_works(printed: str) -> None:
    """Its only line is there once: workers must not run the script again."""
    document: dict[str, Any] = json.loads(printed)
    assert document["slots"]["planned"] == 2
    assert document["verdict"]


def test_a_script_from_standard_input_works(tmp_path: Path) -> None:
    """Up to the last trial: what follows is as above."""
    assert output([sys.executable, "-"], tmp_path, stdin=SHORT).count("slots 2") == 1


def test_two_files_in_a_folder_of_their_own_are_searched(printed: str, automl: Command) -> None:
    assert json.loads(printed)["best"]["family"] == "third"
    write_family(automl.folder / "own")
    shown = automl.json("families", "list", "--families-from", "own")
    assert [family["family"] for family in shown] == sorted([*catalog.families(), "third"])


@pytest.mark.proof  # a minute; the family in a folder of one's own is the sample
def test_two_files_beside_ours_are_searched_and_held_to_the_contract(automl: Command, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for package in ("search_spaces", "lightning_modules"):
        shutil.copytree(REPOSITORY / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    write_family(source)
    path = os.pathsep.join([str(source), os.environ["PYTHONPATH"]])

    document = automl.json(*TWO_TRIALS, PYTHONPATH=path)
    assert document["best"]["family"] == "third"
    assert document["slots"]["complete"] + document["slots"]["pruned"] == 2

    suite = [
        sys.executable,
        "-m",
        "pytest",
        str(REPOSITORY / "tests" / "contract"),
        "-k",
        "third",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(suite, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
