"""What all tests share: one thread, and the tests' own folder on the path, so that stubs can be imported here and in workers."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))
for name in ("AUTOML_HOME", "MLFLOW_TRACKING_URI"):
    os.environ.pop(name, None)
# Two test processes of two threads each on two cores wait for each other, twenty times as long; so do the programs they start.
os.environ["OMP_NUM_THREADS"] = "1"
# Where it is set, as in many images, each program that a test starts compiles our modules anew: a fifth of a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
_ENVIRONMENT = dict(os.environ)


def _restore() -> None:
    for name in os.environ.keys() - _ENVIRONMENT.keys():
        if not name.startswith("PYTEST_"):
            del os.environ[name]
    os.environ.update(_ENVIRONMENT)


@pytest.fixture(autouse=True)
def _own_folder_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test writes into the checkout, and none leaves a variable behind (mlflow's settings would reach torch's threads)."""
    monkeypatch.chdir(tmp_path)
    _restore()  # a fixture of a wider scope may have left one too
    yield
    _restore()
