"""An array as a PNG, by the format's own specification (ISO/IEC 15948): grey or colour, eight bits, no filter, nothing else.

And the same with heat laid over it: what speaks for a prediction in blue, what speaks against it in orange.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

MOST_PIXELS = 48
"""Along each side; larger pictures are thinned."""
_FAINT = 0.3
"""Contrast that is left of a picture under its heat."""
_FOR, _AGAINST = np.array([0.0, 114.0, 230.0]), np.array([255.0, 140.0, 0.0])


def png(values: np.ndarray) -> bytes:
    """Return (channels, height, width) numbers of any range as a picture: the smallest is black, the largest white.

    Three channels are colour; of any other count the first is shown in grey.
    """
    return _file(_bytes(_thinned(values)))


def heat(values: np.ndarray, attributions: np.ndarray) -> bytes:
    """Return the picture of `png` in faint grey under attributions (height, width): blue where positive, orange where negative.

    A colour is full at the strongest hundredth of what stands out in this picture. Blue and orange are told apart by all but
    those who see no colour at all (Okabe and Ito 2008, "Color Universal Design").
    """
    step = _step(values)
    grey = _bytes(_thinned(values).mean(axis=0, keepdims=True)) * _FAINT + 255 * (1 - _FAINT) / 2
    height, width = attributions.shape
    # What lies between the pixels that are kept is added to them: nothing of the sum is lost.
    padded = np.pad(attributions, ((0, -height % step), (0, -width % step)))
    sums = padded.reshape(len(padded) // step, step, -1, step).sum(axis=(1, 3))
    top = float(np.quantile(np.abs(sums), 0.99)) or float(np.abs(sums).max()) or 1.0
    share = np.clip(np.abs(sums) / top, 0.0, 1.0)
    colour = np.where(sums[None] >= 0, _FOR[:, None, None], _AGAINST[:, None, None])
    return _file(np.round(grey * (1 - share) + colour * share).astype(np.uint8))


def address(content: bytes) -> str:
    """Return a PNG as a `data:` address."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _step(values: np.ndarray) -> int:
    return max(1, -(-max(values.shape[1:]) // MOST_PIXELS))


def _thinned(values: np.ndarray) -> np.ndarray:
    step = _step(values)
    return values[:, ::step, ::step] if values.shape[0] == 3 else values[:1, ::step, ::step]


def _file(pixels: np.ndarray) -> bytes:
    channels, height, width = pixels.shape
    rows = np.zeros((height, 1 + width * channels), dtype=np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = pixels.transpose(1, 2, 0).reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _bytes(values: np.ndarray) -> np.ndarray:
    low, high = float(np.min(values)), float(np.max(values))
    return np.round(255 * (values - low) / (high - low if high > low else 1.0)).astype(np.uint8)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
