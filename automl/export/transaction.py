"""A bundle as a transaction: readers see the old version or the new one, whole, whatever is killed when. Trains and scores nothing.

Written into `<target>/.tmp-<uuid>/`, each file flushed, the manifest last; verified by a clean process; renamed to
`<target>/v-<digest>/`; then `LATEST` is replaced by rename. A crash in between leaves a temporary folder, removed a day later.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from automl.bundle.format import (
    CARD,
    LATEST,
    MANIFEST,
    MODEL,
    SCHEMA,
    STAGED,
    Facts,
    check_bundle,
    make_manifest,
    read_manifest,
    read_member,
    resolve,
)
from automl.data import Schema
from automl.data.durable import (
    flush_folder,
    make_folder,
    move_into_place,
    new_folder_beside,
    remove_stale,
    replace_file,
    set_aside,
    storage_errors,
    write_file,
)
from automl.errors import ConfigError, DataError, StorageError
from automl.export.card import model_card
from automl.export.clean import verify_in_clean_process

KEEP = 3
"""Versions of one search."""


def publish(
    staging: Path,
    target: Path,
    facts: Facts,
    *,
    importance: Mapping[str, Sequence[float]] | None = None,
    verify: Callable[[Path], None] = verify_in_clean_process,
) -> Path:
    """Publish what a worker staged as the latest version below `target`; returns the version's folder.

    `importance` of a table's columns is for the card alone.

    `verify` is handed the finished folder before any reader sees it; a `CleanProcess` that has warmed up answers at once. The same
    files with the same facts give the same folder again. The newest three versions of the search are kept, and all of any other:
    a task is called after its file, and many a file is called `train.csv`. Raises StorageError, and leaves the previous version in
    place, when disk or permission is in the way, when the bundle does not reproduce its example or when somebody removes the folder.
    """
    with storage_errors("export to", target), _removal_told(target):
        make_folder(target)
        remove_stale(target)
        folder = new_folder_beside(target / MANIFEST)
        try:
            _fill(folder, staging, facts, importance or {})
            with _completeness_told(target, folder):
                version = target / f"v-{read_manifest(folder).digest[:12]}"
                if not _is_whole(version):
                    verify(folder)
            with _one_at_a_time(target):
                if not _is_whole(version):
                    set_aside(version)
                    move_into_place(folder, version)
                replace_file(target / LATEST, f"{version.name}\n".encode())
                _remove_old(target, version, facts.search)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return version


def require_target(target: Path, column: str) -> None:
    """Raise ConfigError where the latest version below `target` predicts something else than `column`.

    A task is called after its file, and a file may have several columns worth predicting: their models must not take turns.
    """
    try:
        latest = resolve(target)
        schema = Schema.from_json(read_member(latest, read_manifest(latest), SCHEMA))
    except (StorageError, DataError):
        return  # there is none yet, or none that anybody could load
    if schema.target != column:
        raise ConfigError(
            f"The models in {target}/ predict '{schema.target}', and this search is for '{column}': one name must stand for one "
            f"target. Give the task a name of its own with a task file: automl tasks init FILE --target COL --out NAME.yaml, then "
            f"automl search NAME.yaml."
        )


@contextmanager
def _removal_told(target: Path) -> Iterator[None]:
    """Turn the error of a file below `target` that is not there any more into one that says why: free space is no cure."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).is_relative_to(target):  # os.utime names none
            raise _removed(target) from error
        raise


@contextmanager
def _completeness_told(target: Path, folder: Path) -> Iterator[None]:
    """The same of a bundle that was written whole and is found damaged."""
    try:
        yield
    except StorageError as error:
        if not all((folder / name).exists() for name in (*STAGED, CARD, MANIFEST)):
            raise _removed(target) from error
        raise


def _removed(target: Path) -> StorageError:
    return StorageError(
        f"Cannot export to {target}: the folder, or what is in it, was removed or moved while the model was written.",
        hint="Leave it in place, and run the same command again.",
    )


@contextmanager
def _one_at_a_time(target: Path) -> Iterator[None]:
    """Hold the kernel's lock on the folder: an export overtaken by three others would name a version that they removed."""
    descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fill(folder: Path, staging: Path, facts: Facts, importance: Mapping[str, Sequence[float]]) -> None:
    for name in STAGED:
        write_file(folder / name, (staging / name).read_bytes())
    schema = Schema.from_json((staging / SCHEMA).read_bytes())
    card = model_card(facts, (staging / MODEL).read_bytes(), schema, importance)
    write_file(folder / CARD, card.encode())
    write_file(folder / MANIFEST, make_manifest(folder, facts))
    flush_folder(folder)


def _is_whole(version: Path) -> bool:
    try:
        return bool(check_bundle(version))
    except StorageError:
        return False


def _remove_old(target: Path, newest: Path, search: str) -> None:
    """Keep the newest and the youngest others; published again counts as new, and so does what a clock that was set back calls old."""
    ages = {}
    for folder in target.glob("v-*"):
        with suppress(
            FileNotFoundError, StorageError
        ):  # a person has just removed it, or it is of no search that is known
            if folder != newest and read_manifest(folder).facts.search == search:
                ages[folder] = folder.stat().st_mtime_ns
    now = max([time.time_ns(), *(age + 1 for age in ages.values())])
    os.utime(newest, ns=(now, now))
    for folder in sorted(ages, key=ages.__getitem__)[: 1 - KEEP]:
        set_aside(folder)
