"""A small bundle of each kind, made once."""

import shutil
from pathlib import Path

import pytest
from exported import bundled


@pytest.fixture(scope="session", params=["wine", "diabetes"])
def made(request, tmp_path_factory) -> Path:
    """A bundle's folder; shared, so tests that change files take `bundle`."""
    return bundled(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def bundle(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))
