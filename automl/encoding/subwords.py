"""A text that is the whole input, cut into pieces of words, so that a word that is new may still be made of known ones."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .cells import words
from .tokens import UNKNOWN, Tokens, tokens_of

BEGIN = "▁"
"""A character of its own before each word, so that a piece at a word's beginning is another than the same inside."""
_RUN = re.compile(r"\w+|[^\w\s]")
"""What is cut into pieces: where words have no spaces between them a whole run of them, of which the pieces make words."""
LONGEST_WORD = 64
"""Characters of a word that are read: joining takes the square of them, and a stranger's word may have a million."""


@dataclass(frozen=True)
class Subwords(Tokens):
    """Byte-pair encoding of each word (Sennrich, Haddow and Birch 2016, arXiv:1508.07909), over characters in lower case.

    A word begins as its characters; of the neighbours that may be joined, those that come first in `merges` are, the leftmost first,
    until none may. A character that training rows did not teach is an unknown piece.
    """

    kind: ClassVar[str] = "subwords"
    merges: tuple[tuple[str, str], ...]
    """Neighbours that are joined, the first ones first; each two together are in the vocabulary."""

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) or (rows, 1) -> (rows, length)."""
        cut = self._cutter()
        encoded = np.zeros((len(cells), self.length))
        for row, text in enumerate(words(cells.ravel())):
            pieces = itertools.chain.from_iterable(map(cut, runs_of(text or "")))
            found = list(itertools.islice(pieces, self.length))
            encoded[row, : len(found)] = found
        return encoded

    def by_word(self, text: str, values: np.ndarray) -> np.ndarray:
        """A number of each piece that is read -> (tokens,) the sum over each token's pieces; one of several counts to the first."""
        ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        places: list[int] = []
        first = 0
        for run in runs_of(text):
            if len(places) >= len(values):
                break
            inside = [place for place, token in enumerate(tokens_of(run), first) for _ in token]
            starts = itertools.accumulate((len(piece) for piece in pieces_of(run, ranks)[:-1]), initial=0)
            places += [inside[max(0, start - len(BEGIN))] for start in starts]
            first = inside[-1] + 1
        return np.bincount(places[: len(values)], weights=values) if places else np.zeros(0)

    def _cutter(self) -> Callable[[str], tuple[int, ...]]:
        """A word -> the codes of its pieces; each word is cut once."""
        codes = {piece: place for place, piece in enumerate(self.vocabulary, 2)}
        ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        known: dict[str, tuple[int, ...]] = {}

        def cut(word: str) -> tuple[int, ...]:
            found = known.get(word)
            if found is None:
                found = known[word] = tuple(codes.get(piece, UNKNOWN) for piece in pieces_of(word, ranks))
            return found

        return cut


def runs_of(text: str) -> list[str]:
    """What stands between spaces and marks, in lower case, and single marks."""
    return _RUN.findall(text.lower())


def pieces_of(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Join a word's characters as far as `ranks` go, the lowest first."""
    pieces = [BEGIN, *word[:LONGEST_WORD]]
    never = len(ranks)
    while len(pieces) > 1:
        rank, place = min((ranks.get(pair, never), place) for place, pair in enumerate(itertools.pairwise(pieces)))
        if rank == never:
            break
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    return pieces
