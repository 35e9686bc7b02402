"""`automl doctor` on versions, devices and folders, and what it says in all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from examined import examine

from automl.cli.main import run
from automl.doctor import Finding, exit_code
from automl.doctor.machine import TESTED, device_findings, version_findings
from automl.ledger import SearchFolder


def test_the_tested_versions_are_those_of_the_constraints() -> None:
    pins = dict(re.findall(r"^([\w-]+)==(.+)$", (Path(__file__).parents[2] / "constraints.txt").read_text(), re.M))
    assert {name: pins[name] for name in TESTED} == TESTED


@pytest.mark.parametrize(
    ("installed", "state"), [("2.13.0+cpu", "ok"), ("2.14.1", "note"), ("2.4.0", "problem"), (None, "problem")]
)
def test_a_version_is_as_tested_allowed_or_a_problem(installed: str | None, state: str) -> None:
    versions: dict[str, str | None] = {**TESTED, "torch": installed}
    found = {finding.name: finding for finding in version_findings(versions.get)}
    assert found["torch"].state == state
    assert bool(found["torch"].hint) == (state == "problem")


def test_gpus_with_a_torch_that_cannot_use_them_are_a_problem() -> None:
    found = {f.name: f for f in device_findings({}, list_gpus=lambda: ["GPU-1"], look_up=lambda _: "2.13.0+cpu")}
    assert found["gpus"].found == "1: GPU-1"
    assert found["torch build"].state == "problem"


@pytest.mark.parametrize("count", ["-1", "0", "two"])
def test_a_number_of_workers_that_no_search_takes_is_a_problem(count: str) -> None:
    (found,) = device_findings({"AUTOML_WORKERS": count})
    assert (found.state, found.found) == (
        "problem",
        f"AUTOML_WORKERS must be a whole number of at least 1, but got {count!r}.",
    )


def test_a_folder_that_cannot_be_made_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "file" / "home"))
    code, found = examine(capsys)
    assert (code, found["home"]["state"]) == (5, "problem")


def test_without_searches_all_is_well_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert "no problems" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_problem_elsewhere_than_in_what_is_stored_ends_with_1() -> None:
    assert exit_code([Finding("versions", "torch", "problem", "not installed")]) == 1


def test_looking_imports_neither_torch_nor_mlflow(folder: SearchFolder) -> None:
    code = "import sys; from automl.cli.main import run; run(['doctor']); print(*sys.modules, file=sys.stderr)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split()
    assert not {"torch", "mlflow", "pandas", "pytorch_lightning"} & set(loaded)
