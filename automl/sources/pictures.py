"""Picture files, through Pillow. Pictures are data from strangers: formats are three, and sizes are bounded before a pixel is decoded.

What has an alpha channel is laid on white, 16 bits become 8, CMYK becomes RGB, and a camera's turn is undone.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from automl.errors import ConfigError
from automl.sources.folders import Unreadable, reason_of, require_regular

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Channels -> Pillow's name for them."""
_FORMATS = ("PNG", "JPEG", "BMP")
_GREY = ("1", "L", "LA", "La")
_MOST_PIXELS = 50_000_000
_THREADS = 4
Found = TypeVar("Found")


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before a pixel is decoded."""

    width: int
    height: int
    is_grey: bool


def read_headers(files: Sequence[Path]) -> list[Header | Unreadable]:
    """Size and colour of each file's picture."""
    return _each(files, _header)


def decode(files: Sequence[Path], shape: tuple[int, ...]) -> list[np.ndarray | Unreadable]:
    """Each file's picture as bytes (channels, height, width), brought to that shape; 0 is black, 255 white."""
    return _each(files, lambda file: _pixels(file, shape))


def fingerprints(files: Sequence[Path]) -> list[str | Unreadable]:
    """SHA-256 of each file's bytes: the same whatever shape its picture is brought to."""
    return _each(files, _sha256)


def _sha256(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _each(files: Sequence[Path], act: Callable[[Path], Found]) -> list[Found | Unreadable]:
    """Act on each file in a few threads: Pillow decodes without Python's lock."""

    def tried(file: Path) -> Found | Unreadable:
        try:
            require_regular(file)
            return act(file)
        except (OSError, ValueError, SyntaxError, OverflowError, MemoryError) as error:  # a broken PNG: SyntaxError
            return Unreadable(reason_of(error))

    _pillow()
    # Warnings are the process's, not a thread's. Pillow's are of large pictures; what is allowed is decided here.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")
        return list(pool.map(tried, files))


def _header(file: Path) -> Header:
    with _open(file) as image:
        return Header(image.width, image.height, image.mode in _GREY or image.mode.startswith("I"))


def _pixels(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    channels, height, width = shape
    with _open(file) as image:
        image.draft(None, (2 * width, 2 * height))  # a JPEG is decoded no larger than needed
        turned = _pillow("ImageOps").exif_transpose(image)
        small = _converted(turned, MODES[channels]).resize((width, height), _pillow().Resampling.BILINEAR)
    return np.asarray(small, dtype=np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def _converted(image: Any, mode: str) -> Any:
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = _pillow().fromarray((np.asarray(image, dtype=np.float64) / 257.0).round().clip(0, 255).astype(np.uint8))
    if mode == "RGBA" or not (image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info):
        return image.convert(mode)
    picture = image.convert("RGBA")
    paper = _pillow().new("RGBA", picture.size, "white")
    return _pillow().alpha_composite(paper, picture).convert(mode)


def _open(file: Path) -> Any:
    """Open a picture that is small enough. Raises ValueError for another."""
    pillow = _pillow()
    try:
        image = pillow.open(file, formats=_FORMATS)
    except pillow.DecompressionBombError as error:
        raise ValueError(str(error).split(" pixels,", 1)[0] + " pixels: too large") from None
    if image.width * image.height > _MOST_PIXELS:
        image.close()
        raise ValueError(f"{image.width}x{image.height} is more than {_MOST_PIXELS:,} pixels")
    return image


def _pillow(module: str = "Image") -> Any:
    import importlib

    try:
        return importlib.import_module(f"PIL.{module}")
    except ImportError:
        raise ConfigError("Pictures need Pillow.", hint="pip install pillow") from None
