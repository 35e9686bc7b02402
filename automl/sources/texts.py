"""Text files, UTF-8 and nothing else: a file that is not is named, never guessed at."""

from __future__ import annotations

from pathlib import Path

from automl.sources.folders import Unreadable, reason_of, require_regular

SUFFIXES = (".txt",)
LARGEST = 1 << 20
"""Bytes of one text: a book has that many, and families read the first words only."""


def read_text(file: Path) -> str | Unreadable:
    """A file's text, or why it is none."""
    try:
        require_regular(file)
        with open(file, "rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            return Unreadable(f"larger than {LARGEST >> 20} MB")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Unreadable(f"not UTF-8 at byte {error.start}")
    except OSError as error:
        return Unreadable(reason_of(error))
    return Unreadable("a NUL character") if "\0" in text else text
