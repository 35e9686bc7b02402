"""Which folder a model's name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.bundle.format import LATEST
from automl.cli.place import model_folder


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
