"""A folder becomes a task: sub-folders are classes, what cannot be read is named, and hostile files harm nobody (faults D18 to D21)."""

from __future__ import annotations

import os
import random
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automl.data import prepare, read_rows
from automl.data.split import digest_rows, groups_of, split_rows
from automl.errors import ConfigError, DataError
from automl.sources import memory, pictures
from automl.sources.pictures import Header
from automl.tasks import Choices, Rows, load_again, load_task
from automl.tasks.own.pictures import choose_shape, reduced


def _picture(path: Path, size: tuple[int, int] = (10, 8), colour: object = 90, mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)  # type: ignore[arg-type]
    return path


def _pictures(folder: Path, each: int = 30) -> Path:
    """Two classes; every picture differs."""
    for index in range(each):
        _picture(folder / f"cat/{index:02}.png", colour=index)
        _picture(folder / f"dog/{index:02}.png", colour=255 - index)
    return folder


def _read(folder: Path) -> Rows:
    return load_task(str(folder)).read()


def test_each_sub_folder_of_pictures_is_a_class(tmp_path: Path) -> None:
    task = load_task(str(_pictures(tmp_path / "my pets.v2")))
    rows = task.read()
    assert (task.name, task.input_kind, task.kind, task.shape) == ("my-pets.v2", "image", "classification", (1, 8, 10))
    assert task.objectives[0] == ("roc_auc", "maximize")
    assert rows.target.tolist() == ["cat"] * 30 + ["dog"] * 30
    assert isinstance(rows.features, np.ndarray)
    assert (rows.features.dtype, rows.features.shape, len(set(rows.columns))) == (np.uint8, (60, 80), 80)
    assert rows.features[[0, 29, 30], 0].tolist() == [0, 29, 255]
    assert rows.notes == ()


@pytest.mark.parametrize(
    ("sizes", "given"),
    [
        ([(28, 28)] * 2, ""),
        ([(40, 20), (12, 12)], ""),
        ([(200, 150)] * 2, "pictures of 200 x 150, which models see as 64 x 64, detail finer than 3 pixels is lost"),
        ([(70, 70)] * 2, "pictures of 70 x 70, which models see as 64 x 64"),
        (
            [(600, 400), (400, 400)],
            "pictures of 500 x 400 in the median, which models see as 64 x 64, detail finer than 8 pixels is lost",
        ),
    ],
)
def test_what_models_see_of_larger_pictures_is_said(sizes: list[tuple[int, int]], given: str) -> None:
    headers = [Header(width, height, is_grey=True) for width, height in sizes]
    assert reduced(headers, choose_shape(headers)) == given


def test_a_search_of_larger_pictures_says_so_first(tmp_path: Path) -> None:
    for index in range(20):
        for name in ("cat", "dog"):
            _picture(tmp_path / f"pets/{name}/{index}.png", (200, 200), colour=index)
    said = load_task(str(tmp_path / "pets")).summary(40)
    assert said.endswith("from pictures of 200 x 200, which models see as 64 x 64, detail finer than 3 pixels is lost")


def test_a_search_finds_its_folder_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = load_task(str(_pictures(Path("pets"))))
    monkeypatch.chdir(tmp_path.parent)
    assert len(load_again(task.name, task.choices).read()) == 60


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ([(28, 28)] * 2, (1, 28, 28)),
        ([(40, 20)] * 2, (1, 20, 40)),
        ([(40, 20), (30, 30)], (1, 32, 32)),
        ([(600, 400), (50, 300)], (1, 64, 64)),
        ([(128, 128)] * 2, (1, 64, 64)),
        ([(4, 4)] * 2, (1, 32, 32)),
    ],
)
def test_the_size_is_the_common_one_or_a_square_near_the_median(
    sizes: list[tuple[int, int]], shape: tuple[int, ...]
) -> None:
    assert choose_shape([Header(width, height, is_grey=True) for width, height in sizes]) == shape


def test_one_coloured_picture_makes_all_coloured() -> None:
    assert choose_shape([Header(9, 9, is_grey=True), Header(9, 9, is_grey=False)]) == (3, 9, 9)


def test_training_and_prediction_see_the_same_pixels_of_dark_pictures_too(tmp_path: Path) -> None:
    """The brightest training pixel is far from white: new pictures must not be dimmed to it."""
    for index in range(30):
        for name in ("a", "b"):
            size = (20 + index, 30)
            _picture(tmp_path / f"dark/{name}/{index}.jpg", size, (index, 2 * (name == "a"), 60), "RGB")
    task = load_task(str(tmp_path / "dark"))
    rows = task.read()
    schema = prepare(task, seed=0, data_folder=tmp_path / "data").schema
    (part,) = read_rows(tmp_path / "dark", schema, print)
    assert schema.white == 255.0
    assert isinstance(part.features, np.ndarray)
    assert np.array_equal(part.features.reshape(60, -1), rows.array())
    assert part.files[0] == "a/0.jpg"


def test_byte_pictures_are_encoded_as_numbers_are(tmp_path: Path) -> None:
    import dataclasses

    task = load_task(str(_pictures(tmp_path / "pets")))
    rows = task.read()
    wide = dataclasses.replace(task, read=lambda: dataclasses.replace(rows, features=rows.array().astype(np.float64)))
    slim, broad = (prepare(each, seed=0, data_folder=tmp_path / "data") for each in (task, wide))
    assert slim.ref.content == broad.ref.content
    assert slim.schema.encode(rows.array()) == pytest.approx(broad.schema.encode(rows.array()), abs=1e-6)


def test_yesterdays_test_pictures_stay_in_the_test_part_when_a_new_one_changes_the_shape(tmp_path: Path) -> None:
    def tested(folder: Path) -> tuple[tuple[int, ...], set[int]]:
        task = load_task(str(folder))
        rows = task.read()
        assert rows.group is not None
        digests = digest_rows(rows, task)
        parts = split_rows(digests, groups_of(rows, digests)[0], rows, task, 0)
        return task.shape, set(parts["test"].tolist())

    folder = _pictures(tmp_path / "pets")
    shape, before = tested(folder)
    _picture(
        folder / "dog/zoe.png", (50, 50), (1, 2, 3), "RGB"
    )  # the last of the last class: all others keep their place
    new_shape, after = tested(folder)
    assert shape != new_shape
    assert before <= after


# D18: bad pictures


def test_cmyk_alpha_palette_and_16_bit_pictures_are_brought_to_bytes(tmp_path: Path) -> None:
    _picture(tmp_path / "cmyk.jpg", colour=(0, 0, 0, 0), mode="CMYK")
    _picture(tmp_path / "clear.png", colour=(0, 0, 0, 0), mode="RGBA")
    _picture(tmp_path / "half.png", colour=(0, 128), mode="LA")
    _picture(tmp_path / "palette.png", colour=0, mode="P")
    Image.fromarray(np.full((8, 10), 65535, np.uint16)).save(tmp_path / "deep.png")
    names = ("cmyk.jpg", "clear.png", "half.png", "palette.png", "deep.png")
    found = pictures.decode([tmp_path / name for name in names], (1, 8, 10))
    assert [int(pixels[0, 4, 4]) for pixels in found if isinstance(pixels, np.ndarray)] == [255, 255, 127, 0, 255]


def test_a_camera_turned_on_its_side_is_turned_back(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 2, axis=0))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    image.save(tmp_path / "a.png", exif=exif)
    (pixels,) = pictures.decode([tmp_path / "a.png"], (1, 2, 2))
    assert isinstance(pixels, np.ndarray)
    assert pixels[0].tolist() == [[0, 0], [255, 255]]


def test_few_bad_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    _cut(folder / "cat/00.png")
    (folder / "dog/01.png").write_bytes(b"")
    os.mkfifo(folder / "dog/pipe.png")
    rows = _read(folder)
    assert len(rows) == 58
    (note,) = rows.notes
    assert note.startswith("3 of 61 pictures cannot be read: ")
    assert all(name in note for name in ("cat/00.png (", "dog/01.png (", "dog/pipe.png (not a file)"))


def test_many_bad_pictures_are_an_error_whether_header_or_pixels_are_bad(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    for index in range(4):
        _cut(folder / f"cat/{index:02}.png")
    with pytest.raises(DataError, match=r"at least 4 of 60 pictures cannot be read: cat/00\.png .*At most 5%"):
        _read(folder)
    for index in range(4):
        (folder / f"cat/{index:02}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="at least 4 of 60 pictures"):
        load_task(str(folder))


# D19: classes that are none


def test_hidden_files_and_others_are_no_rows(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "cat/._00.png").write_bytes(b"x")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "__MACOSX/cat").mkdir(parents=True)
    (folder / "cat/notes.csv").write_text("x")
    _picture(folder / "stray.png")
    rows = _read(folder)
    assert len(rows) == 60
    assert rows.notes == (
        "1 pictures beside the class folders belong to no class and were left out.",
        "1 other files were left out: .csv (1).",
    )


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("cat", "dog", "eel/"), "class folder 'eel' holds no pictures"),
        (("cat",), "one class only ('cat')"),
        (("pets/cat", "pets/dog"), "If its sub-folders are the classes, give "),
        (("train/cat", "train/dog", "test/cat"), "holds parts (test, train), not classes"),
        ((), "no class folders"),
    ],
)
def test_a_folder_without_two_classes_is_refused(tmp_path: Path, folders: tuple[str, ...], words: str) -> None:
    for name in folders:
        (tmp_path / "root" / name).mkdir(parents=True)
        if not name.endswith("/"):
            _picture(tmp_path / "root" / name / "a.png")
    (tmp_path / "root").mkdir(exist_ok=True)
    with pytest.raises(DataError) as caught:
        load_task(str(tmp_path / "root"))
    assert words in str(caught.value)
    assert str(tmp_path / "root") in str(caught.value)


def test_a_class_of_which_nothing_can_be_read_is_named(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    _cut(_picture(folder / "eel/a.png"))
    with pytest.raises(DataError, match="class 'eel': none of its pictures can be read"):
        _read(folder)


def test_a_folder_of_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.gif").write_bytes(b"x")
    with pytest.raises(DataError, match="no pictures and no texts"):
        load_task(str(tmp_path))


# D20: what would fill the memory


def test_a_decompression_bomb_is_left_out_unread(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    bomb = bytearray((folder / "cat/00.png").read_bytes())
    bomb[16:24] = (60000).to_bytes(4) * 2
    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4)
    (folder / "cat/00.png").write_bytes(bomb)
    rows = _read(folder)
    assert len(rows) == 59
    assert "cat/00.png (" in rows.notes[0]
    assert "pixels" in rows.notes[0]


def test_pictures_that_memory_cannot_hold_are_decoded_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = _read(_pictures(tmp_path / "pets"))
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(memory, "memory_left", lambda: 1000)
    stored = _read(tmp_path / "pets")
    assert isinstance(stored.features.base, np.memmap)
    assert np.array_equal(stored.features, held.features)


# D21: loops of links


def test_a_loop_of_links_is_not_walked_and_is_said(tmp_path: Path) -> None:
    folder = _pictures(tmp_path / "pets")
    (folder / "loop").symlink_to(folder)
    (folder / "cat/loop").symlink_to(folder)
    (folder / "self.png").symlink_to(folder / "self.png")
    rows = _read(folder)
    assert len(rows) == 60
    assert "Linked folders are not entered: loop." in rows.notes


# Texts


@pytest.mark.parametrize(
    ("choices", "flag"),
    [
        (Choices(target="class"), "--target"),
        (Choices(columns={"a": "text"}), "--column"),
        (Choices(time_column="when"), "--time-col"),
        (Choices(encoding="latin-1"), "--encoding"),
    ],
)
def test_choices_of_tables_are_refused_for_a_folder(tmp_path: Path, choices: Choices, flag: str) -> None:
    with pytest.raises(ConfigError, match=f"sub-folders are the classes: {flag} does not apply"):
        load_task(str(_pictures(tmp_path / "pets")), choices)


def _cut(path: Path) -> None:
    """Header and size stay; the pixels end early."""
    noise = np.frombuffer(random.Random(0).randbytes(80), np.uint8).reshape(8, 10)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-40])
