"""The commands as a person types them, against one finished search: documents, tables, errors and exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from command import SMALL, Command, Finished
from commands import COMMANDS, examples, named
from sklearn.datasets import load_digits

from automl import catalog

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
    "slots": dict.fromkeys(("planned", "complete", "pruned", "failed", "retried"), int),
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


def test_predict_gives_a_row_per_input_row(finished: Finished, tmp_path: Path) -> None:
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


def test_predict_by_the_name_of_the_task_prints_the_same(finished: Finished, tmp_path: Path) -> None:
    load_digits(as_frame=True).data.head(3).to_csv(tmp_path / "rows.csv", index=False)
    by_path, by_name = (
        finished.command.run("predict", model, str(tmp_path / "rows.csv"))
        for model in (finished.document["bundle"], "digits")
    )
    assert by_path.stdout == by_name.stdout
    assert len(by_name.stdout.splitlines()) == 4


def test_the_champion_serves_the_numbers_of_predict(finished: Finished, tmp_path: Path) -> None:
    frame = load_digits(as_frame=True).data.head(3).astype(int)  # as a CSV of pixels is read
    frame.to_csv(tmp_path / "rows.csv", index=False)
    printed = finished.command.run("predict", "digits@champion", str(tmp_path / "rows.csv"))
    mlflow.set_tracking_uri(f"sqlite:///{finished.folder}/mlflow.db")
    served = mlflow.pyfunc.load_model("models:/digits@champion").predict(frame)
    expected = pd.read_csv(io.StringIO(printed.stdout), dtype={"prediction": str})
    # Not to the bit: processes with different numbers of threads add float32 in another order.
    pd.testing.assert_frame_equal(served, expected, check_exact=False, rtol=1e-5)


def test_models_are_listed_and_shown(finished: Finished) -> None:
    (model,) = finished.command.json("models", "list")
    assert (model["name"], model["version"], model["champion"]) == ("digits", 1, True)
    shown = finished.command.run("models", "show", "digits").stdout
    assert shown.startswith("digits version 1 (champion)")
    assert "# digits: " in shown


def test_searches_are_listed_and_shown(finished: Finished) -> None:
    (row,) = finished.command.json("searches", "list")
    assert (row["search"], row["task"], row["slots"]) == ("digits-0", "digits", "6/6")
    assert finished.command.json("searches", "show", "digits-0") == finished.document
    assert finished.document["verdict"] in finished.command.run("searches", "show", "digits-0").stdout


def test_resuming_a_finished_search_prints_its_document(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    assert copy_of(finished).json("searches", "resume", "digits-0") == finished.document


def test_sync_brings_back_runs_that_are_gone(finished: Finished, copy_of: Callable[[Finished], Command]) -> None:
    copy = copy_of(finished)
    for leftover in copy.folder.glob("mlflow.db*"):
        leftover.unlink()
    (copy.folder / ".automl" / "searches" / "digits-0" / "optuna.db").unlink()
    found = copy.json("searches", "sync", "digits-0")
    whole = {"total": 6, "synced": 6, "missing": 0, "extra": 0}
    assert found == {"optuna": whole, "mlflow": whole}


def test_delete_removes_the_search_and_keeps_the_model(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    copy = copy_of(finished)
    done = copy.run("searches", "delete", "digits-0", "--yes")
    assert done.returncode == 0, done.stderr
    assert copy.json("searches", "list") == []
    assert (copy.folder / finished.document["bundle"]).is_dir()


def test_tasks_and_families_are_listed_and_shown(finished: Finished) -> None:
    command = finished.command
    assert [row["task"] for row in command.json("tasks", "list")] == ["breast_cancer", "diabetes", "digits", "wine"]
    assert command.json("tasks", "show", "digits")["families"] == ["cnn", "mlp"]
    assert [row["family"] for row in command.json("families", "list")] == list(catalog.families())
    assert "lr" in command.json("families", "show", "mlp")["space"]


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "words"),
    [
        (("search", "digit"), "ConfigError", 2, "Did you mean 'digits'?"),
        (("search", "digits", "--families", "mpl"), "ConfigError", 2, "Did you mean 'mlp'?"),
        (("search", "digits", "--trials", "0"), "ConfigError", 2, "--trials"),
        (("search", "digits", "--time", "0m"), "ConfigError", 2, "--time"),
        (("search", "digits", "--no-such-flag"), "UsageError", 2, "--no-such-flag"),
        (("searches", "show", "digits-1"), "ConfigError", 2, "digits-1"),
        (("search", "digits", "--families", "mlp", "--max-epochs", "4"), "ConfigError", 2, "max-epochs"),
    ],
)
def test_an_error_is_one_document_or_one_line(
    finished: Finished, arguments: tuple[str, ...], kind: str, code: int, words: str
) -> None:
    as_json = finished.command.run(*arguments, "--json")
    error = json.loads(as_json.stdout)["error"]
    assert (error["type"], as_json.returncode) == (kind, code)
    assert set(error) == {"type", "message", "hint"}
    assert words in error["message"] + error["hint"]
    plain = finished.command.run(*arguments)
    assert plain.returncode == code
    assert plain.stdout == ""
    assert plain.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in plain.stderr


@pytest.mark.parametrize("path", COMMANDS, ids=named)
def test_help_says_what_each_command_does(automl: Command, path: tuple[str, ...]) -> None:
    done = automl.run(*path, "--help", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: {named(path)}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert examples(done.stdout, path)


def test_a_person_reads_the_verdict_and_the_next_command(
    finished: Finished, copy_of: Callable[[Finished], Command]
) -> None:
    done = copy_of(finished).run("search", "digits", *SMALL, "--trials", "6")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == f"digits-0: {finished.document['verdict']}"
    assert done.stdout.splitlines()[-1].startswith("next: automl predict ")
    assert "budget 6 already done" in done.stderr
