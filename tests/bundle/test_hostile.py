"""Malicious bundles, each opened through every path that a user has: none runs code, each is refused in one line, fast and small.

A bundle is signed here as whoever made it could sign it, so hashes stop nothing: what is tested is what comes after them. The last
group is not refused, since nothing of it is ever opened.
"""

from __future__ import annotations

import pickle
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attacks import MARKER, Build, Reduce, sign
from hostile_bundles import NEVER_OPENED, REFUSED, VERSIONS
from safetensors.numpy import load, save

from automl.bundle.format import EXAMPLE
from automl.bundle.load import load_model
from automl.cli.main import run
from automl.cli.models import export
from automl.errors import AutoMLError
from automl.tasks import load_task

SECONDS, MEGABYTES = 8.0, 300


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three wines."""
    data = load_task("wine").read()
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text(
        "\n".join([",".join(data.columns), *(",".join(map(str, row)) for row in data.array()[:3].tolist())])
    )
    return path


def _open(path: Path, rows: Path) -> dict[str, int]:
    """Open a bundle by every path a user has; returns each one's exit code."""
    codes = {"load_model": _code(lambda: load_model(path))}
    codes["predict"] = run(["predict", str(path), str(rows), "--out", "out.csv"])
    for form in ("safetensors", "pt2", "onnx"):
        codes[form] = _code(lambda: export(str(path), form=form, to=Path(f"to-{form}")))  # noqa: B023 (called at once)
    return codes


def _code(act: Callable[[], object]) -> int:
    """Anything but our own error passes through, and fails the test."""
    try:
        act()
    except AutoMLError as error:
        return error.exit_code
    return 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(params=["wine"])
def attacked(made: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, in a folder of its own."""
    return Path(shutil.copytree(made, tmp_path / "given" / "bundle"))


@pytest.mark.parametrize("made", ["wine"], indirect=True)
@pytest.mark.parametrize("name", [*REFUSED, *VERSIONS])
def test_a_hostile_bundle_is_refused_whichever_way_it_is_opened(attacked, rows, tmp_path, capsys, name):
    {**REFUSED, **VERSIONS}[name](attacked)
    began, before = time.monotonic(), _peak()
    codes = _open(attacked.parent if name in VERSIONS else attacked, rows)
    assert time.monotonic() - began < SECONDS
    assert _peak() - before < MEGABYTES
    assert set(codes.values()) <= {2, 5}, codes
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("error: ")
    assert said.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given"]


@pytest.mark.parametrize("made", ["wine"], indirect=True)
@pytest.mark.parametrize("name", NEVER_OPENED)
def test_what_is_never_opened_does_no_harm(attacked, rows, tmp_path, name):
    NEVER_OPENED[name](attacked)
    assert _code(lambda: load_model(attacked)) == 0
    assert run(["predict", str(attacked), str(rows), "--out", "out.csv"]) == 0
    assert _code(lambda: export(str(attacked), form="pt2", to=Path("to-pt2"))) == 0
    assert not (tmp_path / "to-pt2" / "conftest.py").exists()
    assert not list(tmp_path.rglob(MARKER))


@pytest.mark.parametrize("made", ["wine"], indirect=True)
def test_an_example_that_fits_no_model_is_no_onnx(attacked, tmp_path):
    example = load((attacked / EXAMPLE).read_bytes())
    for inputs in (example["inputs"][:, :3].copy(), example["inputs"].astype(np.int64), example["inputs"][:0].copy()):
        (attacked / EXAMPLE).write_bytes(save({**example, "inputs": inputs}))
        sign(attacked)
        assert _code(lambda: export(str(attacked), form="onnx", to=tmp_path / "onnx")) == 5


def test_the_payloads_run_when_they_are_unpickled(tmp_path):
    for payload in (Reduce(), Build()):
        pickle.loads(pickle.dumps(payload))
        (tmp_path / MARKER).unlink()
