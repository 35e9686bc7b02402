"""One of several levels, as a code; of many levels also by what the target is there on average."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from .cells import words
from .encoder import ColumnEncoder


@dataclass(frozen=True)
class Category(ColumnEncoder):
    """One of several levels, as a code: 0 for a missing or unseen one, then 1, 2, ... as listed.

    A word that is not listed counts as the one that differs from it by capitals alone, if there is one: `TRUE` and `True` are the
    same in a CSV and in a Parquet file.
    """

    kind: ClassVar[str] = "category"
    levels: tuple[str, ...]
    rated: tuple[str, ...] = ()
    """Words with rates, which may be many more than `levels`; empty where levels are few enough to be learned one by one."""
    rates: tuple[tuple[float, ...], ...] = ()
    """Of each such word how far the target is from its mean there, one number per output, of unit variance over the training rows."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Levels and the code 0; then 0 per rate."""
        return (len(self.levels) + 1, *(0 for _ in self.rates[:1] for _ in self.rates[0]))

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, 1 + rates): the code, and rates, which are 0 where nothing is known."""
        texts = words(cells)
        codes = _places(self.levels, texts)[:, None] + 1.0
        if not self.rated:
            return codes
        rates = np.vstack([*np.array(self.rates), np.zeros(len(self.rates[0]))])
        return np.hstack([codes, rates[_places(self.rated, texts)]])

    def is_known(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) whether a cell is a level, or missing."""
        texts = words(cells)
        listed = self.rated if len(self.rated) > len(self.levels) else self.levels
        return np.array([text is None for text in texts]) | (_places(listed, texts) >= 0)


def _places(listed: tuple[str, ...], texts: list[str | None]) -> np.ndarray:
    """(rows,) where each text is listed; -1 where it is not."""
    places, folded = _index(listed)
    return np.array(
        [places[text] if text in places else folded.get(text.casefold(), -1) if text else -1 for text in texts]
    )


@lru_cache(maxsize=64)  # of a hundred thousand words it takes longer than to encode a chunk of rows
def _index(listed: tuple[str, ...]) -> tuple[dict[str | None, int], dict[str, int]]:
    """Where each word is listed, and where the first is that differs from it by capitals alone."""
    folded: dict[str, int] = {}
    for place, word in enumerate(listed):
        folded.setdefault(word.casefold(), place)
    return {word: place for place, word in enumerate(listed)}, folded
