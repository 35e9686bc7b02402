"""What tests of workers share: prepared data, assignments on it, throw-away families."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lightning_modules
import search_spaces
from automl import catalog
from automl.data import prepare, spec_for
from automl.messages import Assignment, Member
from automl.tasks import load_task
from automl.worker.perform import Places


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def places(data_folder: Path, tmp_path: Path) -> Places:
    return Places(data=data_folder, search=tmp_path / "search")


@pytest.fixture
def assign(data_folder: Path) -> Callable[..., Assignment]:
    """Build an assignment on a built-in task: `assign("wine", params={...}, epochs=3, kind="trial", ...)`."""

    def build(
        task: str = "wine",
        *,
        family: str = "mlp",
        params: dict[str, Any] | None = None,
        epochs: int = 3,
        **changes: Any,
    ) -> Assignment:
        goal = load_task(task)
        prepared = prepare(goal, seed=0, data_folder=data_folder)
        spec = spec_for(goal, prepared, max_epochs=epochs)
        small = {"depth": 1, "width": 16, "dropout": 0.1, "lr": 0.01}
        member = Member(0, 0, 0, family, small if params is None else params, changes.pop("seed", 7))
        base = Assignment("trial-0-0-0", "trial", (member,), spec, prepared.ref, goal.metric, goal.direction, epochs)
        return dataclasses.replace(base, **changes)

    return build


@pytest.fixture
def add_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Make a family of the given class body known for one test; returns its name."""
    for package in (search_spaces, lightning_modules):
        monkeypatch.setattr(package, "__path__", list(package.__path__))

    def add(body: str) -> str:
        for package in ("search_spaces", "lightning_modules"):
            (tmp_path / package).mkdir(exist_ok=True)
        (tmp_path / "search_spaces/throwaway.py").write_text(
            "INPUTS = ('table',)\nDEFAULT = {}\nsuggest = lambda *_: {}\n"
        )
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        (tmp_path / "lightning_modules/throwaway.py").write_text(
            "import torch\nfrom lightning_modules.mlp import Module as Mlp\n\n\nclass Module(Mlp):\n"
            "    def __init__(self, spec):\n        super().__init__(spec, depth=1, width=16, dropout=0.0)\n\n" + lines
        )
        catalog.add_families_from(tmp_path)
        return "throwaway"

    yield add
    for package in ("search_spaces", "lightning_modules"):
        sys.modules.pop(f"{package}.throwaway", None)
