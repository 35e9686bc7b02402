"""What tests of faults share: searches in processes of their own, and the same search in this one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faultlib import Search, Start
from toy import Toy

import lightning_modules
import search_spaces


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start toy searches; whatever is left of them ends with the test."""
    begun: list[Search] = []

    def begin(**choices: object) -> Search:
        begun.append(Search(tmp_path, **choices))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for search in begun:
        search.kill_all()


@pytest.fixture
def own_families(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Families of the test's own folder that become known to this process are forgotten after it."""
    for package in (search_spaces, lightning_modules):
        monkeypatch.setattr(package, "__path__", list(package.__path__))
    monkeypatch.setattr(
        sys, "dont_write_bytecode", True
    )  # a file changed within a second, to its old length, looks unchanged
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def toy(tmp_path: Path, own_families: None) -> Toy:
    """The toy search of the working folder, in this process."""
    return Toy(tmp_path)
