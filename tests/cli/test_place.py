"""Which folder a model's name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.bundle.format import LATEST
from automl.cli.place import model_folder
from automl.errors import ConfigError


def test_a_folder_of_pictures_does_not_hide_the_model_that_was_made_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = Path("exports") / "pictures"
    for folder in (Path("pictures"), made):
        folder.mkdir(parents=True)
    assert model_folder("pictures") == Path("pictures")
    (made / LATEST).write_text("v-0")
    assert model_folder("pictures") == made


def test_a_misspelled_model_is_told_the_nearest_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports" / "grid").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"nor NAME@champion\. Did you mean 'grid'\?$"):
        model_folder("gird")
    with pytest.raises(ConfigError, match=r"nor NAME@champion\. Run: automl search TASK$"):
        model_folder("zzz")
