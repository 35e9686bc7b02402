"""A text that is the whole input, as codes of what it is cut into; and cut into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .cells import words
from .encoder import ColumnEncoder, WholeEncoder

SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
"""Characters, as a set of a regular expression holds them, of scripts that put no spaces between words: each is a token of its own."""
WORD = rf"[{SPACELESS}]|[^\W{SPACELESS}]+"
TOKEN = re.compile(rf"{WORD}|[^\w\s]")
"""A word or a single mark of a text that is read whole."""
UNKNOWN = 1
"""Code of what is not in the vocabulary; 0 fills up."""


@dataclass(frozen=True)
class Tokens(ColumnEncoder, WholeEncoder):
    """A text that is the whole input, as codes: 0 fills up, 1 is unknown, then as listed."""

    vocabulary: tuple[str, ...]
    length: int
    """Codes that are read; what follows is cut."""

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.vocabulary) + 2

    @property
    def raw_columns(self) -> tuple[str, ...]:
        """The one column."""
        return (self.name,)

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """(length,)."""
        return (self.length,)

    def gather(self, cells: Mapping[str, Any]) -> tuple[tuple[str, ...], np.ndarray]:
        """Cells by column -> no ids, and (rows,)."""
        return (), np.asarray(cells[self.name])


@dataclass(frozen=True)
class Words(Tokens):
    """A text in words and marks."""

    kind: ClassVar[str] = "words"

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) or (rows, 1) -> (rows, length)."""
        codes = {word: place for place, word in enumerate(self.vocabulary, 2)}
        encoded = np.zeros((len(cells), self.length))
        for row, text in enumerate(words(cells.ravel())):
            found = [codes.get(token, UNKNOWN) for token in tokens_of(text or "")[: self.length]]
            encoded[row, : len(found)] = found
        return encoded


def tokens_of(text: str) -> list[str]:
    """Words in lower case, characters that are words of their own, and single marks."""
    return TOKEN.findall(text.lower())
