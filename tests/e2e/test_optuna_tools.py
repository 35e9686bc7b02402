"""Optuna's own command line opens the file of a finished search."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import Finished

pytestmark = pytest.mark.slow


def optuna(finished: Finished, *arguments: str) -> list[dict[str, object]]:
    """Run the `optuna` command on the search's file."""
    file = finished.folder / ".automl" / "searches" / "digits-0" / "optuna.db"
    command = [
        str(Path(sys.executable).with_name("optuna")),
        "--storage",
        f"sqlite:///{file}",
        *arguments,
        "-f",
        "json",
    ]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows: list[dict[str, object]] = json.loads(printed)
    return rows


def test_optuna_lists_a_study_per_family_and_a_trial_per_slot(finished: Finished) -> None:
    assert [row["name"] for row in optuna(finished, "studies")] == ["digits-0-mlp"]
    trials = optuna(finished, "trials", "--study-name", "digits-0-mlp")
    assert len(trials) == 6
    assert {trial["state"] for trial in trials} <= {"COMPLETE", "PRUNED"}
