"""Rows from a folder of image files, through Pillow where it is installed. Pictures are data from strangers: sizes are bounded.

Each picture is brought to the model's channels and size, and its brightness to the range of the training rows.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from automl.data.incoming.chunk import Chunk, Tell, rows_at_once
from automl.data.schema import Schema
from automl.errors import ConfigError, DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MOST_UNREADABLE = 0.05
_FORMATS = ("PNG", "JPEG", "BMP")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_MOST_PIXELS = 50_000_000
_LISTED = 10


def image_rows(folder: Path, schema: Schema, tell: Tell) -> Iterator[Chunk]:
    """Yield every picture below `folder` in order of path; those that cannot be read are named to `tell` and left out.

    Raises DataError for a model without image input, a folder without pictures, or when more than 5 % cannot be read.
    """
    if schema.input_kind != "image" or schema.shape[0] not in _MODES:
        raise DataError(
            f"{folder}: is a folder, but model '{schema.task}' takes a table. Give a .csv, .parquet or .npy."
        )
    files = _find(folder)
    if not files:
        raise DataError(f"{folder}: no pictures ({', '.join(SUFFIXES)}) in this folder or below.")
    unreadable: list[str] = []
    size = rows_at_once(schema)
    for start in range(0, len(files), size):
        rows, names = [], []
        for file in files[start : start + size]:
            try:
                rows.append(_pixels(file, schema))
                names.append(_name(file, folder))
            except (
                OSError,
                ValueError,
                SyntaxError,
                OverflowError,
            ) as error:  # Pillow says SyntaxError to a broken PNG
                unreadable.append(f"{_name(file, folder)} ({_reason(error)})")
        if len(unreadable) > MOST_UNREADABLE * len(files):
            raise DataError(
                f"{folder}: at least {len(unreadable)} of {len(files)} pictures cannot be read: {_listed(unreadable)}."
            )
        if rows:
            yield Chunk(np.stack(rows), tuple(names))
    if unreadable:
        tell(f"{folder}: {len(unreadable)} of {len(files)} pictures cannot be read: {_listed(unreadable)}.")


def _find(folder: Path) -> list[Path]:
    """Linked folders are not entered, so a loop of links ends nothing."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, n) for n in names if n.lower().endswith(SUFFIXES) and not n.startswith(".")]
    return sorted(found)


def _pixels(file: Path, schema: Schema) -> np.ndarray:
    """Return float64 (channels, height, width), 0 for black and `schema.white` for white."""
    channels, height, width = schema.shape
    if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for
        raise OSError("not a file")
    with _open(file) as image:
        if image.width * image.height > _MOST_PIXELS:
            raise ValueError(f"{image.width}x{image.height} is more than {_MOST_PIXELS:,} pixels")
        if image.mode.startswith("I"):  # 16 bits a pixel
            image = _eight_bits(image)
        small = image.convert(_MODES[channels]).resize((width, height), _pillow().Resampling.BILINEAR)
    pixels = np.asarray(small, dtype=np.float64).reshape(height, width, channels)
    return pixels.transpose(2, 0, 1) * (schema.white / 255.0)


def _open(file: Path) -> Any:
    pillow = _pillow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures: what is allowed is decided here
        try:
            return pillow.open(file, formats=_FORMATS)
        except pillow.DecompressionBombError as error:
            raise ValueError(str(error)) from None


def _eight_bits(image: Any) -> Any:
    return _pillow().fromarray((np.asarray(image, dtype=np.float64) / 257.0).round().clip(0, 255).astype(np.uint8))


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ConfigError("Predicting pictures needs Pillow.", hint="pip install pillow") from None
    return Image


def _name(file: Path, folder: Path) -> str:
    """A name that is no UTF-8 still has a row."""
    return os.fsencode(file.relative_to(folder)).decode(errors="replace")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).split(" <", 1)[0].split(" '", 1)[0] or type(error).__name__


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
