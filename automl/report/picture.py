"""An array as a PNG, by the format's own specification (ISO/IEC 15948): grey or colour, eight bits, no filter, nothing else."""

from __future__ import annotations

import struct
import zlib

import numpy as np

MOST_PIXELS = 48
"""Along each side; larger pictures are thinned."""


def png(values: np.ndarray) -> bytes:
    """Return (channels, height, width) numbers of any range as a picture: the smallest is black, the largest white.

    Three channels are colour; of any other count the first is shown in grey.
    """
    step = max(1, -(-max(values.shape[1:]) // MOST_PIXELS))
    pixels = _bytes(values[:, ::step, ::step] if values.shape[0] == 3 else values[:1, ::step, ::step])
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
