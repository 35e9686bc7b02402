"""One finished search of the digits task, made by the real command, for all tests that only look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command import SMALL, Command, Finished


@pytest.fixture
def automl(tmp_path: Path) -> Command:
    """The command line in a folder of the test's own."""
    return Command(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """`automl search digits` over 6 slots of at most 3 epochs, with one worker."""
    command = Command(tmp_path_factory.mktemp("finished"))
    return Finished(command, command.json("search", "digits", *SMALL, "--trials", "6"))


@pytest.fixture(scope="session")
def copy_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Finished], Command]:
    """Return a function that copies a finished search, for tests that go on with it."""

    def copy(finished: Finished) -> Command:
        folder = tmp_path_factory.mktemp("copy")
        shutil.copytree(finished.folder, folder, dirs_exist_ok=True)
        return Command(folder)

    return copy
