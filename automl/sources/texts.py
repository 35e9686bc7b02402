"""Text files: in UTF-8 or as a person says, or with a mark of UTF-16; a file that is not is named, never guessed at."""

from __future__ import annotations

import codecs
from pathlib import Path

from automl.errors import DataError
from automl.sources.folders import Unreadable, reason_of, require_regular

SUFFIXES = (".txt",)
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
LARGEST = 1 << 20
"""Bytes of one text: a book has that many, and families read the first words only."""


def read_text(file: Path, encoding: str = "utf-8") -> str | Unreadable:
    """A file's text, or why it is none; a byte order mark says how it is encoded, else `encoding`. Raises DataError for an unknown one."""
    try:
        require_regular(file)
        with open(file, "rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            return Unreadable(f"larger than {LARGEST >> 20} MB")
        encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), encoding)
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        return Unreadable(f"not {error.encoding.upper()} at byte {error.start}")
    except LookupError:
        raise DataError(f"{file}: unknown encoding {encoding!r}. Examples: utf-8, latin-1.") from None
    except OSError as error:
        return Unreadable(reason_of(error))
    return Unreadable("a NUL character") if "\0" in text else text
