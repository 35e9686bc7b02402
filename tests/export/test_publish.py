"""Publishing is a transaction: the new version whole, or the old one untouched."""

import dataclasses
import errno
import os
import re
import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from safetensors.numpy import load, save

from automl.bundle.format import CARD, EXAMPLE, LATEST, MANIFEST, STAGED, Facts, check_bundle, resolve
from automl.bundle.verify import verify
from automl.data import Schema
from automl.errors import ConfigError, StorageError
from automl.export import publish, require_target

FACTS = Facts("wine", "mlp", "wine-0", 3, 0, "accuracy", "maximize", {"test": 0.9}, "ab" * 32)


def _publish(staging, target, *, slot=3, search="wine-0"):
    """Publish without the clean process, which takes seconds and has its own test."""
    return publish(staging, target, dataclasses.replace(FACTS, slot=slot, search=search), verify=lambda folder: None)


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_a_bundle_that_a_clean_process_refuses_is_not_published(staging, tmp_path):
    """That it accepts what is whole, each search of `tests/e2e` shows."""
    version = publish(staging, tmp_path / "exports", FACTS, verify=verify)
    assert _names(version) == sorted([*STAGED, CARD, MANIFEST])
    example = load((staging / EXAMPLE).read_bytes())
    (staging / EXAMPLE).write_bytes(save({**example, "outputs": example["outputs"] + 1}))
    with pytest.raises(StorageError, match=r"does not verify.*does not give the outputs"):
        publish(staging, tmp_path / "exports", FACTS)
    assert _names(tmp_path / "exports") == [LATEST, version.name]
    assert resolve(tmp_path / "exports") == version


def test_publishing_the_same_again_gives_the_same_folder(staging, tmp_path):
    first = _publish(staging, tmp_path / "exports")
    assert _publish(staging, tmp_path / "exports") == first
    assert _names(tmp_path / "exports") == [LATEST, first.name]
    assert check_bundle(first).facts == FACTS


def test_a_damaged_version_is_published_anew(staging, tmp_path):
    version = _publish(staging, tmp_path / "exports")
    (version / EXAMPLE).write_bytes(b"damage")
    assert _publish(staging, tmp_path / "exports") == version
    check_bundle(version)


def test_three_versions_are_kept_and_latest_is_the_newest(staging, tmp_path):
    versions = [_publish(staging, tmp_path / "exports", slot=slot) for slot in range(5)]
    assert _names(tmp_path / "exports") == sorted([LATEST, *(version.name for version in versions[2:])])
    assert resolve(tmp_path / "exports") == versions[-1]


def test_no_search_removes_the_models_of_another(staging, tmp_path):
    """Tasks are called after their files, and many a file is called `train.csv`."""
    other = _publish(staging, tmp_path / "exports", search="another")
    versions = [_publish(staging, tmp_path / "exports", slot=slot) for slot in range(4)]
    assert other.is_dir()
    assert [version.is_dir() for version in versions] == [False, True, True, True]


def test_an_old_version_published_again_is_the_newest(staging, tmp_path):
    first, *_ = (_publish(staging, tmp_path / "exports", slot=slot) for slot in range(3))
    _publish(staging, tmp_path / "exports", slot=0)
    _publish(staging, tmp_path / "exports", slot=9)
    assert first.is_dir()


def test_the_newest_stays_when_the_clock_was_set_back(staging, tmp_path):
    for slot in range(3):
        ahead = time.time() + 3600 + slot
        os.utime(_publish(staging, tmp_path / "exports", slot=slot), (ahead, ahead))
    newest = _publish(staging, tmp_path / "exports", slot=9)
    assert resolve(tmp_path / "exports") == newest
    assert check_bundle(newest)
    _publish(staging, tmp_path / "exports", slot=10)
    _publish(staging, tmp_path / "exports", slot=11)
    assert newest.is_dir()


def test_what_killed_exports_left_is_removed_a_day_later(staging, tmp_path):
    for name, age in (("old", 25), ("new", 23)):
        folder = tmp_path / "exports" / f".tmp-{name}"
        folder.mkdir(parents=True)
        os.utime(folder, (0, time.time() - age * 3600))
    version = _publish(staging, tmp_path / "exports")
    assert _names(tmp_path / "exports") == [".tmp-new", LATEST, version.name]


class FullDisk:
    """Stands for one function of the operating system and fails at its `number`-th call."""

    def __init__(self, monkeypatch, owner, name, number=0):
        self.calls, self.number, self.original = 0, number, getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *arguments, **options: self(*arguments, **options))

    def __call__(self, *arguments, **options):
        self.calls += 1
        if self.calls == self.number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.original(*arguments, **options)


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "rename"), (os, "replace"), (os, "fdopen")])
def test_a_full_disk_at_any_call_keeps_the_old_version_and_names_the_path(staging, tmp_path, monkeypatch, owner, name):
    target = tmp_path / "exports"
    old = _publish(staging, target)
    with monkeypatch.context() as patch:
        needed = FullDisk(patch, owner, name)
        _publish(staging, tmp_path / "elsewhere", slot=99)
    assert needed.calls > 0
    for number in range(1, needed.calls + 1):
        with monkeypatch.context() as patch:
            FullDisk(patch, owner, name, number)
            with pytest.raises(
                StorageError, match=f"(disk full: {re.escape(str(target))}|{re.escape(str(target))}.*No space left)"
            ):
                _publish(staging, target, slot=100 + number)
        assert check_bundle(resolve(target))
        assert check_bundle(old)
        assert not [left for left in _names(target) if left.startswith(".tmp-")]


def test_exports_at_once_are_never_mixed_and_the_last_whole_one_wins(staging, tmp_path):
    target = tmp_path / "exports"
    _publish(staging, target, slot=0)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(_publish, staging, target, slot=slot % 3) for slot in range(60)]
        while not all(future.done() for future in futures):
            assert check_bundle(resolve(target)).facts.slot in range(3)
    assert {future.result() for future in futures} == {target / name for name in _names(target) if name != LATEST}


@pytest.mark.slow
def test_more_exports_at_once_than_versions_are_kept_leave_a_whole_latest(staging, tmp_path):
    """One that was overtaken by three others once pointed LATEST at the version that they had removed."""
    target = tmp_path / "exports"
    for _ in range(2):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda slot: _publish(staging, target, slot=slot), range(24)))
        assert check_bundle(resolve(target))


def test_files_are_the_owners_alone(staging, tmp_path):
    before = os.umask(0)
    try:
        version = _publish(staging, tmp_path / "exports")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in version.iterdir()} == {0o600}
    assert stat.S_IMODE(version.stat().st_mode) == 0o700


def test_the_temporary_folder_lies_in_the_target_whatever_tmpdir_says(staging, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", "/nonexistent")
    assert check_bundle(_publish(staging, tmp_path / "exports"))


def test_a_path_with_spaces_quotes_and_unicode_works(staging, tmp_path):
    assert check_bundle(_publish(staging, tmp_path / "ü ñ" / "模型 'a' \"b\" #%3F?"))


def test_a_target_that_is_a_file_is_a_storage_error(staging, tmp_path):
    (tmp_path / "exports").write_text("in the way")
    with pytest.raises(StorageError, match="exports"):
        _publish(staging, tmp_path / "exports")


def test_a_missing_staged_file_is_named(staging, tmp_path):
    (staging / EXAMPLE).unlink()
    with pytest.raises(StorageError, match=EXAMPLE):
        _publish(staging, tmp_path / "exports")
    assert _names(tmp_path / "exports") == []


def test_the_card_states_metric_parameters_and_use(staging, tmp_path):
    facts = dataclasses.replace(FACTS, values={"validation": 0.9123, "test": 0.8765, "test_low": 0.8512})
    card = (publish(staging, tmp_path / "exports", facts, verify=lambda folder: None) / CARD).read_text()
    values = ("| validation | 0.9123 |", "| test | 0.8765 |", "| test_low | 0.8512 |")
    for words in ("# wine: mlp", *values, "| width | 8 |", "load_model"):
        assert words in card


def test_one_name_stands_for_one_target(staging, tmp_path):
    require_target(tmp_path / "exports", "class")  # there is no model yet
    bundle = _publish(staging, tmp_path / "exports")
    target = Schema.from_json((bundle / "schema.json").read_bytes()).target
    require_target(tmp_path / "exports", target)
    with pytest.raises(ConfigError, match=f"predict '{target}', and this search is for 'price'.*tasks init"):
        require_target(tmp_path / "exports", "price")


def _raised(act):
    try:
        act()
    except StorageError as error:
        return error
    return None


def _removing(target, owner, name, number, monkeypatch):
    """Remove the target before the `number`-th call of one function of the operating system."""
    calls, original = [], getattr(owner, name)

    def first_removed(*arguments, **options):
        calls.append(name)
        if len(calls) == number:
            shutil.rmtree(target)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, first_removed)
    return calls


@pytest.mark.parametrize(
    ("owner", "name"), [(os, "open"), (os, "fsync"), (os, "rename"), (os, "replace"), (os, "utime")]
)
def test_a_target_that_is_removed_meanwhile_is_told_as_such(staging, tmp_path, monkeypatch, owner, name):
    told = 0
    for number in range(1, 40):
        target = tmp_path / f"exports-{number}"
        target.mkdir()
        with monkeypatch.context() as patch:
            calls = _removing(target, owner, name, number, patch)
            raised = _raised(lambda: _publish(staging, target))  # noqa: B023 (called at once)
        if raised is not None:
            assert "removed or moved while the model was written" in str(raised)
            assert raised.hint == "Leave it in place, and run the same command again."
            told += 1
        if len(calls) < number:
            break
    assert told >= 1


def test_files_that_vanish_while_they_are_verified_are_told_as_such(staging, tmp_path):
    def vanish(folder):
        (folder / EXAMPLE).unlink()
        check_bundle(folder)

    with pytest.raises(StorageError, match="removed or moved"):
        publish(staging, tmp_path / "exports", FACTS, verify=vanish)


def test_every_file_and_folder_is_on_the_disk_before_the_name_that_shows_it(staging, tmp_path, monkeypatch):
    events = []
    fsync = os.fsync

    def called(path):
        return ".tmp" if Path(path).name.startswith(".tmp-") else Path(path).name

    def renaming(original):
        return lambda source, target: original(source, target) or events.append(f"{called(source)} to {called(target)}")

    monkeypatch.setattr(
        os, "fsync", lambda fd: events.append(f"flush {called(os.readlink(f'/proc/self/fd/{fd}'))}") or fsync(fd)
    )
    monkeypatch.setattr(os, "rename", renaming(os.rename))
    monkeypatch.setattr(os, "replace", renaming(os.replace))
    version = _publish(staging, tmp_path / "exports").name
    assert events == [
        *(f"flush {name}" for name in STAGED),
        f"flush {CARD}",
        f"flush {MANIFEST}",
        "flush .tmp",
        f".tmp to {version}",
        "flush exports",
        "flush .tmp",
        f".tmp to {LATEST}",
        "flush exports",
    ]
