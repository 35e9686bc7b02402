"""A third family by two new files and nothing edited: beside ours, and in a folder of the user's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def write_family(folder: Path) -> None:
    """Put the two files into `folder`."""
    for package, text in (("search_spaces", SPACE), ("lightning_modules", MODULE)):
        (folder / package).mkdir(parents=True, exist_ok=True)
        (folder / package / "third.py").write_text(text)


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


def test_two_files_in_a_folder_of_their_own_are_searched(automl: Command, tmp_path: Path) -> None:
    own = tmp_path / "own"
    write_family(own)
    document = automl.json(*TWO_TRIALS, "--families-from", str(own))
    assert document["best"]["family"] == "third"
    shown = automl.json("families", "list", "--families-from", str(own))
    assert [family["family"] for family in shown] == sorted([*catalog.families(), "third"])
