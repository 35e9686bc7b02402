"""`--test FILE`: the rows of a second file are the sealed test part, and the first file alone teaches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from automl.cli.main import run
from automl.data import Prepared, load_part, load_raw_test, prepare
from automl.errors import ConfigError, DataError
from automl.messages import DataRef
from automl.tasks import Choices, Task, load_again, load_task

HEADER = "n,w,when,y\n"


def lines(first: int, last: int) -> str:
    return "".join(
        f"{row}.5,{'abc'[row % 3]},{row % 28 + 1:02d}.0{1 + row // 28}.2025,{['no', 'yes'][row % 2]}\n"
        for row in range(first, last)
    )


def loaded(folder: Path, test: str | pd.DataFrame, name: str = "test.csv", **choices: object) -> Task:
    (folder / "train.csv").write_text(HEADER + lines(0, 80))
    if isinstance(test, str):
        (folder / name).write_text(test)
    else:
        test.to_parquet(folder / name)
    said = {"target": "y", "test": str(folder / name), **choices}
    return load_task(str(folder / "train.csv"), Choices(**said))  # type: ignore[arg-type]


def prepared(task: Task, folder: Path, seed: int = 0) -> Prepared:
    return prepare(task, seed=seed, data_folder=folder / "data")


def sealed(folder: Path, done: Prepared) -> list[float]:
    raw = load_raw_test(folder / "data", DataRef(done.ref.key, done.ref.content, ("test",)))
    return sorted(raw["n"].tolist())


def test_the_second_file_is_the_test_part_and_the_first_is_all_learned_from(tmp_path: Path) -> None:
    done = prepared(loaded(tmp_path, HEADER + lines(100, 130)), tmp_path)
    assert done.summary.rows == {"train": 64, "validation": 16, "test": 30}
    assert sealed(tmp_path, done) == [row + 0.5 for row in range(100, 130)]
    assert not [text for text in done.summary.warnings if "test rows" in text]


def test_nothing_is_learned_from_the_test_file(tmp_path: Path) -> None:
    wide = prepared(loaded(tmp_path, HEADER + lines(100, 130).replace("100.5", "1e9")), tmp_path)
    plain = prepared(loaded(tmp_path, HEADER + lines(100, 130)), tmp_path)
    assert wide.schema.encoders == plain.schema.encoders
    assert wide.ref.content != plain.ref.content  # but the data is another, and a resumed search would be refused


def test_moving_a_row_from_one_file_to_the_other_is_other_data(tmp_path: Path) -> None:
    one = prepared(loaded(tmp_path, HEADER + lines(70, 100)), tmp_path)
    (tmp_path / "train.csv").write_text(HEADER + lines(0, 70))
    said = Choices("y", test=str(tmp_path / "rest.csv"))
    (tmp_path / "rest.csv").write_text(HEADER + lines(70, 80) + lines(70, 100))
    other = prepared(load_task(str(tmp_path / "train.csv"), said), tmp_path)
    assert one.ref.content != other.ref.content


def test_columns_are_found_by_name_in_another_format(tmp_path: Path) -> None:
    frame = pd.read_csv(__import__("io").StringIO(HEADER + lines(100, 130)))
    frame["when"] = pd.to_datetime(frame["when"], format="%d.%m.%Y")
    task = loaded(tmp_path, frame.assign(more=1)[["y", "more", "when", "w", "n"]], "test.parquet")
    done = prepared(task, tmp_path)
    assert sealed(tmp_path, done)[0] == 100.5
    assert any("1 columns are not in" in text and "more" in text for text in done.summary.warnings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("n,W,when,y\n" + lines(100, 130), "test.csv: column 'w' of "),
        ("n,w,when,Y\n" + lines(100, 130), "test.csv: column 'y' of "),
        (HEADER + lines(100, 103), "test.csv: too few rows to test with (3 < 10)."),
        (HEADER + lines(100, 130).replace("no", "yes"), "test.csv: holds one class only (yes)"),
        (HEADER + lines(100, 130) + "1,a,01.01.2025,\n", "target 'y', row 31: is missing (one of 1)."),
        (HEADER + lines(100, 130) + "1,a,01.01.2025,yess\n", "row 31: 'yess' is not a class of the training rows"),
        (HEADER + lines(100, 130) + "x,a,01.01.2025,no\n", "test.csv: column 'n', row 31: 'x' is not a number"),
        (HEADER + lines(100, 130) + "1,a,01.13.2025,no\n", "column 'when', row 31: '01.13.2025' is not a date"),
        (HEADER, "test.csv: no rows below the header."),
    ],
)
def test_what_is_wrong_with_the_test_file_is_named(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, content)
    assert words in str(caught.value)


def test_a_number_that_is_none_in_the_target_is_named(tmp_path: Path) -> None:
    train = "n,y\n" + "".join(f"{row % 7},{row * 1.37}\n" for row in range(60))
    (tmp_path / "train.csv").write_text(train)
    (tmp_path / "test.csv").write_text("n,y\n" + "1,2.5\n" * 12 + "1,ten\n")
    with pytest.raises(DataError, match="target 'y', row 13: 'ten' is not a number below"):
        load_task(str(tmp_path / "train.csv"), Choices("y", test=str(tmp_path / "test.csv")))


def test_what_a_test_should_not_be_is_warned_of(tmp_path: Path) -> None:
    test = HEADER + lines(70, 100).replace(",a,", ",d,")
    task = loaded(tmp_path, test, group="n", time_column="when")
    found = "\n".join(prepared(task, tmp_path).summary.warnings)
    assert "7 of 30 test rows equal training rows, target included" in found
    assert "10 groups are in training and test, with 10 test rows: 70.5, " in found
    assert "of 30 test rows are older than the newest training row." in found
    assert "Words in test rows that no training row has: w (33%)." in found


def test_rows_without_a_group_are_counted_and_apart_in_both_files(tmp_path: Path) -> None:
    test = HEADER + lines(100, 130).replace(",a,", ",,")
    done = prepared(loaded(tmp_path, test, group="w"), tmp_path)
    assert "10 of 30 test rows have no group: each is a group of its own." in done.summary.warnings
    clusters = load_part(tmp_path / "data", DataRef(done.ref.key, done.ref.content, ("test",)), "test").clusters
    assert len(np.unique(clusters)) == 2 + 10


def test_newest_of_the_training_rows_are_validated_on(tmp_path: Path) -> None:
    task = loaded(tmp_path, HEADER + lines(100, 130).replace("2025", "2026"), time_column="when")
    done = prepared(task, tmp_path)
    assert done.summary.rows["test"] == 30
    assert done.summary.rows["train"] + done.summary.rows["validation"] == 80


def test_the_task_is_loaded_again_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.csv").write_text(HEADER + lines(0, 80))
    (tmp_path / "test.csv").write_text(HEADER + lines(100, 130))
    (tmp_path / "t.yaml").write_text("path: train.csv\ntest: test.csv\ntarget: y\n")
    monkeypatch.chdir(tmp_path)
    task = load_task("t.yaml")
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    again = load_again("t", task.choices).read().test
    assert again is not None
    assert again.sum() == 30


def test_the_training_file_itself_and_another_kind_of_data_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEADER + lines(0, 80))
    with pytest.raises(ConfigError, match="is the training data itself"):
        load_task(str(tmp_path / "train.csv"), Choices("y", test=str(tmp_path / "train.csv")))
    with pytest.raises(DataError, match="The test part must be a table too"):
        load_task(str(tmp_path / "train.csv"), Choices("y", test=str(tmp_path)))
    with pytest.raises(DataError, match=r"nothing.csv: no such file"):
        load_task(str(tmp_path / "train.csv"), Choices("y", test=str(tmp_path / "nothing.csv")))
    with pytest.raises(ConfigError, match="is a built-in task"):
        load_task("wine", Choices(test=str(tmp_path / "train.csv")))


def pictures(folder: Path, first: int, classes: tuple[str, ...] = ("dark", "light")) -> Path:
    for index in range(first, first + 15):
        for name in classes:
            (folder / name).mkdir(parents=True, exist_ok=True)
            shade = np.full((10, 10), index + 100 * (name == "light"), dtype=np.uint8)
            Image.fromarray(shade).save(folder / name / f"{index}.png")
    return folder


def texts(folder: Path, first: int, classes: tuple[str, ...] = ("ham", "spam")) -> Path:
    for index in range(first, first + 15):
        for name in classes:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{index}.txt").write_text(f"{name} number {index}")
    return folder


@pytest.mark.parametrize("write", [pictures, texts])
def test_a_folder_is_tested_by_a_folder_of_the_same_classes(tmp_path: Path, write: object) -> None:
    train, test = write(tmp_path / "train", 0), write(tmp_path / "test", 10)  # type: ignore[operator]
    done = prepared(load_task(str(train), Choices(test=str(test))), tmp_path)
    assert done.summary.rows == {"train": 24, "validation": 6, "test": 30}
    assert any(text.startswith("10 of 30 test rows equal training rows") for text in done.summary.warnings)


@pytest.mark.parametrize("write", [pictures, texts])
def test_a_class_that_only_the_test_folder_has_is_refused(tmp_path: Path, write: object) -> None:
    train = write(tmp_path / "train", 0)  # type: ignore[operator]
    test = write(tmp_path / "test", 10, ("dark", "ham", "other"))  # type: ignore[operator]
    with pytest.raises(DataError, match=f"{test}: sub-folder '(dark|ham|other)' is no class of {train}"):
        load_task(str(train), Choices(test=str(test)))


def test_a_class_that_the_test_folder_lacks_is_noted(tmp_path: Path) -> None:
    train, test = pictures(tmp_path / "train", 0, ("dark", "light", "red")), pictures(tmp_path / "test", 20)
    done = prepared(load_task(str(train), Choices(test=str(test))), tmp_path)
    assert any("no pictures of 1 classes, which are not tested: red." in text for text in done.summary.warnings)


def test_show_and_init_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text(HEADER + lines(0, 80))
    (tmp_path / "test.csv").write_text(HEADER + lines(100, 130))
    words = ["train.csv", "--target", "y", "--test", "test.csv"]
    assert run(["tasks", "show", *words]) == 0
    shown = capsys.readouterr().out
    assert "rows        80\n" in shown
    assert "test_rows   30\n" in shown
    assert run(["tasks", "init", *words]) == 0
    text = (tmp_path / "train.yaml").read_text()
    assert "\ntest: test.csv  # " in text
    assert "# 80 rows" in text
    again = load_task("train.yaml").read().test
    assert again is not None
    assert again.sum() == 30
