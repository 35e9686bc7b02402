"""Families of one's own: made known by name, and refused where the name is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytorch_lightning import LightningModule

import lightning_modules
import search_spaces
from automl import catalog
from automl.errors import ConfigError
from automl.messages import Field, Spec


@pytest.fixture(autouse=True)
def _own_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in (search_spaces, lightning_modules):
        monkeypatch.setattr(package, "__path__", list(package.__path__))


def own(folder: Path, name: str) -> Path:
    """A folder with a family of that name."""
    for package in ("search_spaces", "lightning_modules"):
        (folder / package).mkdir(parents=True)
        (folder / package / f"{name}.py").touch()
    return folder


def test_a_family_of_ones_own_is_known_and_may_be_made_known_twice(tmp_path: Path) -> None:
    mine = own(tmp_path / "mine", "ours")
    catalog.add_families_from(mine)
    catalog.add_families_from(mine)
    assert "ours" in catalog.families()


def test_a_family_whose_name_is_taken_is_refused_and_nothing_becomes_known(tmp_path: Path) -> None:
    before = catalog.families()
    with pytest.raises(ConfigError, match=r"mine/search_spaces/linear\.py .* exists already, 'linear'. Rename yours"):
        catalog.add_families_from(own(tmp_path / "mine", "linear"))
    assert catalog.families() == before


def test_the_folder_of_the_shipped_families_is_known_already() -> None:
    before = catalog.families()
    catalog.add_families_from(catalog.homes()[0])
    assert catalog.families() == before


@pytest.mark.parametrize("wants_lightning", [False, True])
def test_who_predicts_needs_no_lightning_but_for_a_family_that_asks_for_it(
    tmp_path: Path, wants_lightning: bool
) -> None:
    name = f"needy_{wants_lightning}".lower()
    mine, spec = (
        own(tmp_path / "mine", name),
        Spec((Field("x", "table", (3,)),), (Field("y", "number", (1,)),), 9, 0, "mse"),
    )
    lines = "        self.save_hyperparameters()\n" if wants_lightning else ""
    (mine / f"lightning_modules/{name}.py").write_text(
        "from lightning_modules.mlp import Module as Mlp\n\n\nclass Module(Mlp):\n    def __init__(self, spec):\n"
        "        super().__init__(spec, depth=1, width=2, dropout=0.0)\n" + lines
    )
    catalog.add_families_from(mine)
    found = catalog.predictor(name, spec, {})
    assert isinstance(found, LightningModule) == wants_lightning
    assert isinstance(catalog.module(name, spec, {}), LightningModule)
