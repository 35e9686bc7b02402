"""The commands as a person types them, against one finished search: documents, tables, and the search itself again.

What only looks is run within this process; how the command leaves one of its own, see `test_usage.py`.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from command import SMALL, Command, Finished
from sklearn.datasets import load_digits

from automl import catalog
from automl.ledger import Attempt, Home, Ledger
from automl.tasks import builtin_tasks

pytestmark = pytest.mark.slow

NUMBER = (int, float)
DOCUMENT: dict[str, Any] = {
    "search": str,
    "task": str,
    "metric": str,
    "direction": str,
    "seed": int,
    "seconds": NUMBER,
    "phases": dict.fromkeys(("start", "search", "confirm", "export", "report", "sync"), NUMBER),
    "epochs": int,
    "slots": dict.fromkeys(("planned", "complete", "pruned", "failed", "interrupted", "retried"), int),
    "best": {
        "family": str,
        "slot": int,
        "params": dict,
        "trial_value": float,
        "validation": float,
        "test": float,
        "test_interval": list,
    },
    "default": {"validation": float},
    "baselines": {"majority": float, "linear": float, "boosted_trees": float},
    "confirmed": list,
    "test_gains": {"majority": list, "linear": list, "boosted_trees": list},
    "verdict": str,
    "bundle": str,
    "registered": {"name": str, "version": int, "champion": bool},
    "challenge": {"champion": type(None), "moves": bool, "why": str},
    "mlflow": {"experiment": str, "synced": int, "pending": int},
    "report": str,
}
"""Every key that the design promises, with the type of its value."""


def assert_shape(document: dict[str, Any], shape: dict[str, Any], place: str = "document") -> None:
    """Each key of `shape` is there, with a value of its type."""
    for key, wanted in shape.items():
        assert key in document, f"{place} has no {key}"
        if isinstance(wanted, dict):
            assert_shape(document[key], wanted, f"{place}.{key}")
        else:
            assert isinstance(document[key], wanted), f"{place}.{key} is {document[key]!r}"


def test_the_document_has_every_field_that_the_design_promises(finished: Finished) -> None:
    document = finished.document
    assert_shape(document, DOCUMENT)
    slots, best = document["slots"], document["best"]
    assert slots["complete"] + slots["pruned"] + slots["failed"] == slots["planned"] == 6
    assert best["test_interval"][0] <= best["test"] <= best["test_interval"][1]
    assert document["registered"] == {"name": "digits", "version": 1, "champion": True}
    assert document["mlflow"] == {"experiment": "digits", "synced": 6, "pending": 0}


def test_everything_the_document_names_is_there(finished: Finished) -> None:
    assert (finished.folder / finished.document["bundle"] / "manifest.json").is_file()
    assert "<html" in (finished.folder / finished.document["report"]).read_text()
    assert (finished.folder / "mlflow.db").is_file()


def test_predict_gives_a_row_per_input_row_by_path_and_by_name(finished: Finished, tmp_path: Path) -> None:
    frame = load_digits(as_frame=True).data.head(20)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "predictions.csv"
    done = finished.command.run("predict", finished.document["bundle"], str(tmp_path / "rows.csv"), "--out", str(out))
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["prediction", *(f"p_{digit}" for digit in range(10))]
    assert len(rows) == 20
    for row in rows:
        assert sum(float(row[f"p_{digit}"]) for digit in range(10)) == pytest.approx(1.0, abs=1e-4)
    right = sum(row["prediction"] == str(digit) for row, digit in zip(rows, load_digits().target, strict=False))
    assert right >= 16
    by_name = finished.command.here("predict", "digits", str(tmp_path / "rows.csv")).stdout
    assert_same_table(pd.read_csv(io.StringIO(by_name)), pd.read_csv(out))


def assert_same_table(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Not to the bit: processes with different numbers of threads add float32 in another order."""
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-5)


def test_the_champion_serves_the_numbers_of_predict(finished: Finished, tmp_path: Path) -> None:
    frame = load_digits(as_frame=True).data.head(3).astype(int)  # as a CSV of pixels is read
    frame.to_csv(tmp_path / "rows.csv", index=False)
    printed = finished.command.here("predict", "digits@champion", str(tmp_path / "rows.csv"))
    mlflow.set_tracking_uri(f"sqlite:///{finished.folder}/mlflow.db")
    served = mlflow.pyfunc.load_model("models:/digits@champion").predict(frame)
    expected = pd.read_csv(io.StringIO(printed.stdout), dtype={"prediction": str})
    assert_same_table(served, expected)


def test_models_are_listed_and_shown(finished: Finished) -> None:
    (model,) = finished.command.look("models", "list")
    assert (model["name"], model["version"], model["champion"]) == ("digits", 1, True)
    shown = finished.command.here("models", "show", "digits").stdout
    assert shown.startswith("digits version 1 (champion)")
    assert "# digits: " in shown


def test_searches_are_listed_and_shown(finished: Finished) -> None:
    (row,) = finished.command.look("searches", "list")
    assert (row["search"], row["task"], row["slots"]) == ("digits-0", "digits", "6/6")
    assert finished.command.look("searches", "show", "digits-0") == finished.document
    assert finished.document["verdict"] in finished.command.here("searches", "show", "digits-0").stdout


def test_resuming_a_finished_search_prints_its_document(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    assert copy_of(finished).look("searches", "resume", "digits-0") == finished.document


def test_sync_brings_back_runs_that_are_gone(finished: Finished, copy_of: Callable[[Finished], Command]) -> None:
    copy = copy_of(finished)
    for leftover in copy.folder.glob("mlflow.db*"):
        leftover.unlink()
    (copy.folder / ".automl" / "searches" / "digits-0" / "optuna.db").unlink()
    found = copy.look("searches", "sync", "digits-0")
    whole = {"total": 6, "synced": 6, "missing": 0, "extra": 0}
    assert found == {"optuna": whole, "mlflow": whole}


def test_delete_removes_the_search_and_keeps_the_model(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    copy = copy_of(finished)
    done = copy.here("searches", "delete", "digits-0", "--yes")
    assert done.returncode == 0, done.stderr
    assert copy.look("searches", "list") == []
    assert (copy.folder / finished.document["bundle"]).is_dir()


def test_tasks_and_families_are_listed_and_shown(finished: Finished) -> None:
    command = finished.command
    assert [row["task"] for row in command.look("tasks", "list")] == list(builtin_tasks())
    assert command.look("tasks", "show", "digits")["families"] == ["cnn", "mlp"]
    assert [row["family"] for row in command.look("families", "list")] == list(catalog.families())
    assert "lr" in command.look("families", "show", "mlp")["space"]


def test_another_setting_under_the_same_name_is_refused_in_one_document(finished: Finished) -> None:
    done = finished.command.here("search", "digits", "--families", "mlp", "--max-epochs", "4", "--json")
    error = json.loads(done.stdout)["error"]
    assert (error["type"], done.returncode) == ("ConfigError", 2)
    assert "max-epochs" in error["message"] + error["hint"]
    assert "Traceback" not in done.stderr


def test_a_person_reads_the_verdict_and_the_next_command(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    copy = copy_of(finished)
    done = copy.here("search", "digits", *SMALL, "--trials", "6")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == f"digits-0: {finished.document['verdict']}"
    assert done.stdout.splitlines()[-1].startswith("next: automl predict ")
    assert "budget 6 already done" in done.stderr
    assert trials_in(copy.folder) == trials_in(finished.folder)
    assert copy.look("searches", "show", "digits-0") == finished.document


def test_optuna_lists_a_study_per_family_and_a_trial_per_slot(finished: Finished) -> None:
    """By its own command line, from the search's file."""
    optuna, storage = str(Path(sys.executable).with_name("optuna")), ".automl/searches/digits-0/optuna.db"

    def listed(*arguments: str) -> Any:
        command = [optuna, "--storage", f"sqlite:///{storage}", *arguments, "-f", "json"]
        return json.loads(subprocess.run(command, cwd=finished.folder, capture_output=True, check=True).stdout)

    assert [row["name"] for row in listed("studies")] == ["digits-0-mlp"]
    trials = listed("trials", "--study-name", "digits-0-mlp")
    assert len(trials) == 6
    assert {trial["state"] for trial in trials} <= {"COMPLETE", "PRUNED"}


# -- the same again, and more of it


def trials_in(folder: Path) -> list[Attempt]:
    """Attempts at slots, as the ledger holds them."""
    with closing(Ledger.open(Home(folder / ".automl").existing("digits-0").ledger)) as ledger:
        return ledger.attempts(kind="trial")


def results(trials: list[Attempt]) -> list[tuple[object, ...]]:
    """What must be equal to the bit: parameters, seed, state, value and the whole curve of each slot."""
    return [(t.slot, t.family, t.params, t.seed, t.state, t.value, t.outcome and t.outcome.curve) for t in trials]


@pytest.mark.timeout(300)  # two searches in a row, beside another test
def test_seed_decides_all_and_a_raised_budget_runs_the_difference(
    finished: Finished, copy_of: Callable[[Finished], Command], automl: Command
) -> None:
    """Nine slots at once in another home, up to their last trial, and the finished six raised to nine."""
    first = trials_in(finished.folder)
    automl.stop_at("confirming", "search", "digits", *SMALL, "--trials", "9", "--no-tracking")
    other_home = trials_in(automl.folder)
    assert results(first) == results(other_home[:6])
    assert [trial.slot for trial in other_home if trial.final] == list(range(9))

    raised = copy_of(finished)
    document = raised.json("search", "digits", *SMALL, "--trials", "9")
    after = trials_in(raised.folder)
    assert after[:6] == first, "rows of finished slots were touched"
    assert [trial.slot for trial in after[6:]] == [6, 7, 8]
    assert document["slots"]["planned"] == 9
    assert results(after) == results(other_home)
