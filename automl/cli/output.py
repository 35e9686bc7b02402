"""Printing: results to stdout, everything else to stderr. Control characters from data never reach the terminal."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

from automl.rounding import rounded

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, line breaks among them, marks that turn the writing direction, and halves of characters, which no stream takes."""

_LABEL = re.compile(r" *\S+ {2,}")


def clean(text: str) -> str:
    """Escape control and bidirectional characters, so that no name can forge a line."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_json(document: Any) -> None:
    """Print one JSON document; in its texts the characters that `clean` escapes are written as JSON escapes them."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    print("\n".join(_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in text.split("\n")))


class OnTerminal:
    """A stream of lines for a terminal: a control character in one is shown as its escape, the end of the line is kept."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a line, which is handed over whole."""
        body = text.removesuffix("\n")
        self._stream.write(clean(body) + text[len(body) :])
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def print_lines(lines: Sequence[str]) -> None:
    """Print lines of a result."""
    for line in lines:
        print(clean(line))


def print_facts(lines: Sequence[str]) -> None:
    """Print lines of a result as `label  text`; where a terminal is too narrow, the text goes on below itself, word by word."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        print("\n".join(_folded(clean(line), width)) if width else clean(line))


def _folded(line: str, width: int) -> list[str]:
    label = _LABEL.match(line)
    below = " " * (label.end() if label and label.end() <= width // 2 else 2)
    # A path longer than the line stays whole: the terminal breaks it, and it can still be copied.
    return textwrap.wrap(line, width, subsequent_indent=below, break_long_words=False, break_on_hyphens=False)


def print_error(message: str, hint: str = "") -> None:
    """Print `error: <message>` with the hint on the same line."""
    print_note(f"error: {message}{' ' + hint if hint else ''}")


def print_note(text: str, stream: TextIO | None = None) -> None:
    """Print a line for people to stderr; a closed terminal is no reason to fail."""
    with contextlib.suppress(OSError):
        print(clean(text), file=stream or sys.stderr, flush=True)


def print_table(rows: Sequence[Sequence[Any]], header: Sequence[str]) -> None:
    """Print aligned columns; numbers to the right. Where a terminal is too narrow, a row goes on below itself."""
    lines = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(_wide(line[column]) for line in lines) for column in range(len(header))]
    numeric = [
        all(isinstance(row[column], int | float) or row[column] is None for row in rows)
        for column in range(len(header))
    ]
    padded = [[_padded(*cell) for cell in zip(line, widths, numeric, strict=True)] for line in lines]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if room is not None and sum(widths[:-1]) + 2 * (len(widths) - 2) <= room < sum(widths) + 2 * (len(widths) - 1):
        # The last column, often the longest text, stays in one piece.
        print_facts([text for *first, last in padded for text in ("  ".join(first).rstrip(), f"    {last.strip()}")])
    else:
        print_facts(["  ".join(line).rstrip() for line in padded])


def shortened(text: str, width: int) -> str:
    """Cut the middle out of a text that is longer: of questions in a survey, the ends tell them apart."""
    text = clean(text)
    if _wide(text) <= width:
        return text
    return f"{_beginning(text, width // 2)}…{_beginning(text[::-1], (width - 1) // 2)[::-1]}"


def number(value: float | None) -> str:
    """Four significant digits, or a dash."""
    return "-" if value is None else rounded(value)


def _padded(cell: str, width: int, is_number: bool) -> str:
    room = " " * (width - _wide(cell))
    return room + cell if is_number else cell + room


def _wide(text: str) -> int:
    """Columns of a terminal: a Chinese character or a picture takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _beginning(text: str, width: int) -> str:
    taken = text[:width]
    while _wide(taken) > width:
        taken = taken[:-1]
    return taken


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) or value is None else clean(str(value))
