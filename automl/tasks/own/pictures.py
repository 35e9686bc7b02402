"""A task from a folder of pictures: each sub-folder is a class. Headers are read here, pixels when the search takes the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from automl.sources import pictures
from automl.sources.folders import Folder, Unreadable, check_unreadable, lost, unreadable_names
from automl.sources.pictures import Header
from automl.sources.scratch import empty_array
from automl.tasks.own.choices import Choices
from automl.tasks.own.classes import TARGET, Labelled, labelled, require_classes
from automl.tasks.own.given import given_folder
from automl.tasks.own.names import safe_name
from automl.tasks.task import Rows, Task

SIDES = (32, 64)
"""Pixels along a side that pictures of different sizes are brought to."""
_SMALLEST = 8
"""Pixels along a side, below which families have nothing left after halving it."""
_AT_ONCE = 256


def picture_task(folder: Folder, choices: Choices) -> Task:
    """Return the task of telling the pictures of a folder's sub-folders apart.

    Pictures that cannot be read are left out and named in the rows' notes. Raises DataError where these are more than 5 %, and where
    there are no two classes.
    """
    found = labelled(folder, "pictures", pictures.SUFFIXES)
    headers = pictures.read_headers(found.files)
    check_unreadable(folder.path, "pictures", unreadable_names(found.files, headers, folder.path), len(headers))
    readable = [header for header in headers if isinstance(header, Header)]
    shape = choose_shape(readable)
    test = None
    if choices.test is not None:
        test = given_folder(Path(choices.test), folder, "pictures", pictures.SUFFIXES, found.labels)

    def read() -> Rows:
        rows = read_rows(folder.path, found, shape)
        return rows if test is None else rows.with_test(read_rows(Path(str(choices.test)), test, shape))

    return Task(
        name=safe_name(choices.name or folder.path.resolve().name, "pictures"),
        title=f"Which class of {folder.path.resolve().name} does a picture show?",
        kind="classification",
        input_kind="image",
        target=TARGET,
        objectives=found.objectives,
        read=read,
        source=str(folder.path),
        shape=shape,
        choices=choices.remembered(folder.path),
        why=found.why,
        given=reduced(readable, shape),
    )


def reduced(headers: Sequence[Header], shape: tuple[int, ...]) -> str:
    """Say what models see of pictures that are mostly larger; empty where they are not."""
    _, height, width = shape
    tall, wide = (float(np.median([getattr(header, side) for header in headers])) for side in ("height", "width"))
    factor = max(tall / height, wide / width)
    if factor <= 1:
        return ""
    sizes = len({(header.height, header.width) for header in headers})
    lost = f", detail finer than {factor:.0f} pixels is lost" if factor >= 1.5 else ""
    return f"pictures of {wide:.0f} x {tall:.0f}{' in the median' if sizes > 1 else ''}, which models see as {width} x {height}{lost}"


def choose_shape(headers: Sequence[Header]) -> tuple[int, int, int]:
    """Channels, height and width that all pictures are brought to.

    Grey where all are. The common size where all share one of 8 to 64 pixels along each side; else a square, of 32 pixels where
    the median side is nearer to that, of 64 otherwise.
    """
    channels = 1 if all(header.is_grey for header in headers) else 3
    sizes = {(header.height, header.width) for header in headers}
    if len(sizes) == 1:
        height, width = sizes.pop()
        if min(height, width) >= _SMALLEST and max(height, width) <= max(SIDES):
            return channels, height, width
    median = float(np.median([side for header in headers for side in (header.height, header.width)]))
    side = min(SIDES, key=lambda each: abs(each - median))
    return channels, side, side


def read_rows(folder: Path, found: Labelled, shape: tuple[int, ...]) -> Rows:
    """Decode all pictures to bytes, on disk where memory cannot hold them.

    Raises DataError where more than 5 % cannot be read, or a class is left without one.

    A row's part follows from its file's bytes: one picture more may change the shape of all, and must not bring yesterday's
    test pictures into training.
    """
    features = empty_array((len(found.files), math.prod(shape)), np.uint8)
    labels: list[str] = []
    group: list[str] = []
    unreadable: list[str] = []
    for start in range(0, len(found.files), _AT_ONCE):
        files = found.files[start : start + _AT_ONCE]
        decoded, prints = pictures.decode(files, shape), pictures.fingerprints(files)
        for label, pixels, mark in zip(found.labels[start : start + _AT_ONCE], decoded, prints, strict=True):
            if not isinstance(pixels, Unreadable):
                features[len(labels)] = pixels.reshape(-1)
                labels.append(label)
                group.append(str(mark))
        unreadable += unreadable_names(files, decoded, folder)
    check_unreadable(folder, "pictures", unreadable, len(found.files))
    require_classes(folder, "pictures", found.labels, labels)
    notes = (f"{lost('pictures', unreadable, len(found.files))}.",) if unreadable else ()
    return Rows(
        features[: len(labels)],
        _names(shape),
        np.array(labels, dtype=object),
        group=np.array(group),
        notes=(*found.notes, *notes),
    )


def _names(shape: tuple[int, ...]) -> tuple[str, ...]:
    """A name for each number, in the order of the array."""
    channels, height, width = shape
    colours = ("grey",) if channels == 1 else ("red", "green", "blue")
    return tuple(f"{colour}_{row}_{column}" for colour in colours for row in range(height) for column in range(width))
