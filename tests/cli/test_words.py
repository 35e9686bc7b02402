"""The words a person types: completed by the shell, and corrected where they are nearly right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automl import catalog
from automl.cli.main import run

HEAVY = {"torch", "pytorch_lightning", "mlflow", "optuna", "pandas", "sqlalchemy"}


@pytest.fixture
def offered(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """What bash offers for the last word of a line, which a space ends."""

    def offer(line: str) -> list[str]:
        environ = {"_AUTOML_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        assert run([]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out.split()

    return offer


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("automl sear", "search searches"),
        ("automl models r", "rollback"),
        ("automl search --st", "--stall-timeout --strict"),
        (
            "automl search ",
            "breast_cancer cylinder_bell_funnel diabetes digits docstrings mnist penguins randhie sunspots wine",
        ),
        ("automl tasks show di", "diabetes digits"),
        ("automl families show ", " ".join(catalog.families())),
        ("automl search digits --families ", "cnn mlp resnet vit"),
        ("automl search digits --families mlp,", "mlp,cnn mlp,resnet mlp,vit"),
        (
            "automl search wine --trials 5 --families ",
            "boosted_trees ft_transformer linear mlp realmlp resnet_table tabm",
        ),
        ("automl search digits --sampler ", "tpe random cmaes qmc grid gp"),
        ("automl search digits --pruner m", "median"),
        ("automl search digits --executor ", "local inline"),
        ("automl search digits --devices ", "auto cpu"),
        ("automl search diabetes --metric ", "rmse mae r2 rmsle mape pinball"),
        ("automl search --metric log", "log_loss"),
        ("automl models export digits --format ", "safetensors pt2 onnx"),
    ],
)
def test_the_shell_completes_values(line: str, words: str, offered: Callable[[str], list[str]]) -> None:
    assert offered(line) == words.split()


def test_the_shell_completes_searches_and_models_of_this_folder(
    offered: Callable[[str], list[str]], tmp_path: Path
) -> None:
    for name in ("digits-0", "digits-1", "wine-0"):
        (tmp_path / ".automl" / "searches" / name).mkdir(parents=True)
        (tmp_path / ".automl" / "searches" / name / "ledger.db").touch()
        (tmp_path / "exports" / name.partition("-")[0]).mkdir(parents=True, exist_ok=True)
    for command in ("searches show", "searches resume", "searches sync", "searches delete", "report", "ui"):
        assert offered(f"automl {command} d") == ["digits-0", "digits-1"]
    for command in ("predict", "models show", "models list", "models promote", "models rollback", "models export"):
        assert offered(f"automl {command} ") == ["digits", "wine"]


@pytest.mark.parametrize(
    "line", ["automl searches show ", "automl predict ", "automl search digits --families-from nowhere --families "]
)
def test_where_nothing_is_there_the_shell_offers_nothing(line: str, offered: Callable[[str], list[str]]) -> None:
    assert offered(line) == []


@pytest.mark.parametrize("line", ["automl predict digits ro", "automl report digits-0 --out re"])
def test_names_of_files_are_left_to_the_shell(line: str, offered: Callable[[str], list[str]]) -> None:
    assert offered(line) == []


def test_own_families_are_completed(offered: Callable[[str], list[str]], tmp_path: Path) -> None:
    code = "from automl.cli.main import run; raise SystemExit(run([]))"
    for package in ("search_spaces", "lightning_modules"):
        (tmp_path / "mine" / package).mkdir(parents=True)
        (tmp_path / "mine" / package / "ours.py").touch()
    line = {"COMP_WORDS": "automl families show --families-from mine ", "COMP_CWORD": "5"}
    done = subprocess.run(  # a process of its own: families stay known for as long as one lives
        [sys.executable, "-c", code],
        env={**os.environ, "_AUTOML_COMPLETE": "complete_bash", **line},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == sorted([*catalog.families(), "ours"])


def test_completion_imports_nothing_heavy() -> None:
    lines = ["searches show ", "search digits --families ", "search digits --metric ", "models show ", "predict "]
    code = f"""
import os, sys
from automl.cli.main import run
for line in {lines}:
    os.environ.update(_AUTOML_COMPLETE="complete_bash", COMP_WORDS="automl " + line, COMP_CWORD=str(line.count(" ") + 1))
    assert run([]) == 0
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("serch digits", "'search'"),
        ("searches lst", "'list'"),
        ("models lst", "'list'"),
        ("search digits --trails 3", "'--trials'"),
        ("search digits --trails=3", "'--trials'"),
        ("searches list --jsn", "'--json'"),
        ("search digits --no-trackin", "'--no-tracking'"),
        ("search digts", "'digits'"),
        ("search digits --families mpl", "'mlp'"),
        ("search digits --metric acuracy", "'accuracy'"),
        ("search digits --sampler tpee", "'tpe'"),
        ("search digits --pruner medain", "'median'"),
        ("search digits --set mpl.lr=1", "'mlp'"),
        ("search digits --set mlp.lrr=1", "'lr'"),
        ("search digits --set mlp.optimizer=adm", "'adam'"),
        ("families show mpl", "'mlp'"),
        ("tasks show digts", "'digits'"),
    ],
)
def test_a_word_nearly_right_is_answered_with_the_nearest(
    line: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*line.split()]) == 2
    assert f"Did you mean {near}?" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serch digits", "No such command 'serch'. Did you mean 'search'? See automl --help."),
        ("models lst", "No such command 'lst'. Did you mean 'list'? See automl models --help."),
        ("search a --trails 5", "No such option '--trails'. Did you mean '--trials'? See automl search --help."),
        ("search a --zzz", "No such option '--zzz'. See automl search --help."),
        ("searches show", "Missing argument 'SEARCH'. See automl searches show --help."),
    ],
)
def test_wrong_usage_is_one_line_or_one_document(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    assert capsys.readouterr() == ("", f"error: {said}\n")
    assert run([*line.split(), "--json"]) == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert printed.err == ""
    assert error["type"] == "UsageError"
    assert f"{error['message']} {error['hint']}" == said


def test_an_option_without_its_value_names_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "digits", "--time"]) == 2
    said = "error: Option '--time' requires an argument. See automl search --help.\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("line", ["", "models", "searches"])
def test_a_noun_alone_prints_its_help_and_no_error(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    printed = capsys.readouterr()
    assert "Usage: automl" in printed.out
    assert printed.err == ""


@pytest.mark.parametrize(
    ("line", "environ", "said"),
    [
        ("search wine --stall-timeout abc", {}, "--stall-timeout must be a duration, but got 'abc'."),
        ("search wine --stall-timeout 0", {}, "--stall-timeout must be positive, but got '0'."),
        ("search wine", {"AUTOML_TRIALS": "abc"}, "AUTOML_TRIALS must be a whole number, but got 'abc'."),
        ("search wine", {"AUTOML_TRIALS": "0"}, "AUTOML_TRIALS must be at least 1, but got 0."),
        ("search wine --trials 0", {"AUTOML_TRIALS": "3"}, "--trials must be at least 1, but got 0."),
        ("search wine", {"AUTOML_TIME": "long"}, "AUTOML_TIME must be a duration, but got 'long'."),
        ("search wine", {"AUTOML_SAMPLER": "tpee"}, "AUTOML_SAMPLER must be one of"),
        ("search wine", {"AUTOML_TRACKING": "maybe"}, "AUTOML_TRACKING must be yes or no."),
        ("models promote digits abc", {}, "VERSION must be a whole number."),
        ("ui --port abc", {}, "--port must be a whole number."),
    ],
)
def test_an_error_names_what_was_wrong(
    line: str,
    environ: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert run(line.split()) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}")


def test_an_empty_name_of_a_search_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "wine", "--name", ""]) == 2
    assert "A name is 1 to 100 letters" in capsys.readouterr().err


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_home_that_is_a_file_is_said(
    home: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / home))
    assert run(["search", "wine"]) == 5
    assert f"{tmp_path / 'file'} is a file, but must be a folder." in capsys.readouterr().err
