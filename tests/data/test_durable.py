"""What is written is on the disk before it takes its name, and its name is on the disk before anybody is told; no link is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.data.durable import growing_file, move_into_place, new_file, replace_file, write_file

Events = list[tuple[str, str]]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """Each flush and rename in order: what it was of; a temporary name is `.tmp`."""
    found: Events = []
    fsync = os.fsync

    def flush(descriptor: int) -> None:
        found.append(("flush", _called(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def renaming(name: str) -> Callable[..., None]:
        original = getattr(os, name)

        def rename(source: str, target: str) -> None:
            original(source, target)
            found.append(("rename", f"{_called(source)} to {_called(target)}"))

        return rename

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, "rename", renaming("rename"))
    monkeypatch.setattr(os, "replace", renaming("replace"))
    return found


def _called(path: str | Path) -> str:
    name = Path(path).name
    return ".tmp" if name.startswith(".tmp-") else name


def test_a_new_file_is_flushed(tmp_path: Path, events: Events) -> None:
    write_file(tmp_path / "a", b"content")
    assert events == [("flush", "a")]


def test_a_replaced_file_is_flushed_then_named_then_its_folder_is_flushed(tmp_path: Path, events: Events) -> None:
    replace_file(tmp_path / "a", b"content")
    assert events == [("flush", ".tmp"), ("rename", ".tmp to a"), ("flush", tmp_path.name)]


def test_a_growing_file_is_flushed_then_named_then_its_folder_is_flushed(tmp_path: Path, events: Events) -> None:
    with growing_file(tmp_path / "a") as stream:
        stream.write("content")
        assert events == []
    assert events == [("flush", ".tmp"), ("rename", ".tmp to a"), ("flush", tmp_path.name)]


def test_a_folder_that_was_moved_into_place_is_flushed_above(tmp_path: Path, events: Events) -> None:
    (tmp_path / "made").mkdir()
    assert move_into_place(tmp_path / "made", tmp_path / "target")
    assert events == [("rename", "made to target"), ("flush", tmp_path.name)]


@pytest.mark.parametrize("is_dangling", [True, False])
def test_a_link_that_was_put_there_first_is_refused(tmp_path: Path, is_dangling: bool) -> None:
    victim = tmp_path / "victim"
    if not is_dangling:
        victim.write_text("precious")
    (tmp_path / "a").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_file(tmp_path / "a", b"content")
    assert (victim.read_text() == "precious") if not is_dangling else not victim.exists()


def test_a_file_that_was_put_there_first_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("precious")
    with pytest.raises(FileExistsError), new_file(tmp_path / "a"):
        pass
    assert (tmp_path / "a").read_text() == "precious"


def test_no_link_is_followed_even_where_a_file_may_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = []
    original = os.open
    monkeypatch.setattr(os, "open", lambda path, flag, *mode: flags.append(flag) or original(path, flag, *mode))
    write_file(tmp_path / "a", b"content")
    assert flags[0] & os.O_EXCL
    assert flags[0] & os.O_NOFOLLOW


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    replace_file(tmp_path / "a", b"content")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "victim").read_text() == "precious"
