"""What a worker stages, made once."""

import shutil
from pathlib import Path

import pytest
from exported import assigned

from automl.messages import Assignment
from automl.worker.exporting import export
from automl.worker.perform import Places


@pytest.fixture(scope="session")
def ready(tmp_path_factory) -> tuple[Assignment, Places]:
    """An export assignment whose weights are there, and where."""
    return assigned(tmp_path_factory.mktemp("wine"))


@pytest.fixture(scope="session")
def staged(ready) -> Path:
    """The staging folder; shared, so tests that change files take `staging`."""
    assignment, places = ready
    export(assignment, places)
    return places.search / "staging" / assignment.id


@pytest.fixture
def staging(staged, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(staged, tmp_path / "staging"))
