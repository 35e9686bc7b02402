"""A whole search over a folder, then prediction of new files by the model that it exported; all by the real command."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from command import Command
from PIL import Image


def _pictures(folder: Path) -> None:
    """Dark and bright noise of different sizes."""
    rng = np.random.default_rng(0)
    for index in range(40):
        for name, low in (("dark", 0), ("light", 100)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(low, low + 120, (20 + index % 5, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    (folder / "dark/broken.png").write_bytes(b"x")


def _texts(folder: Path) -> None:
    for index in range(40):
        for name, word in (("ham", "dinner"), ("spam", "prize")):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{index}.txt").write_text(f"a {word} for number {index % 7} and {index}")


@pytest.mark.proof  # minutes; tests/tasks/test_folders.py is the sample
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("write", "family", "first"), [(_pictures, "cnn", "dark/0.png"), (_texts, "text_bag", "ham/0.txt")]
)
def test_a_folder_is_searched_and_its_model_predicts_a_folder(
    automl: Command, write: object, family: str, first: str
) -> None:
    write(automl.folder / "mine")  # type: ignore[operator]
    small = ("--families", family, "--trials", "2", "--max-epochs", "4", "--executor", "inline", "--no-tracking")
    document = automl.json("search", "mine", *small)
    assert document["slots"]["failed"] == 0
    assert document["best"]["test"] > 0.6  # roc_auc
    page = (automl.folder / document["report"]).read_text()
    assert "automl search mine --seed 0" in page
    assert f"{document['bundle']} FOLDER --out" in page
    done = automl.run("predict", document["bundle"], "mine")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (len(rows), rows[0]["file"]) == (80, first)
    assert np.mean([row["file"].startswith(row["prediction"]) for row in rows]) > 0.6


@pytest.mark.proof  # minutes; tests/tasks/test_folders.py is the sample
def test_choices_of_a_table_and_a_poor_folder_have_their_exit_codes(automl: Command) -> None:
    _texts(automl.folder / "mine")
    refused = automl.run("search", "mine", "--target", "label")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--target does not apply" in refused.stderr
    (automl.folder / "mine/empty").mkdir()
    poor = automl.run("search", "mine")
    assert poor.returncode == 3
    assert "class folder 'empty' holds no texts" in poor.stderr
