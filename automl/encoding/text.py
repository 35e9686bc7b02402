"""A text among other columns, brought to a few numbers."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .cells import words
from .encoder import ColumnEncoder
from .tokens import WORD

_WORD = re.compile(WORD)


@dataclass(frozen=True)
class Text(ColumnEncoder):
    """Free text among other columns: its words' weights, brought to a few numbers, and its length.

    Term frequency times inverse document frequency, scaled to unit length, then the first components of a singular value
    decomposition (latent semantic analysis, Deerwester et al. 1990); before them, where it tells anything, a linear score of the target.
    """

    kind: ClassVar[str] = "text"
    terms: tuple[str, ...]
    """Words, and pairs of neighbours joined by a space."""
    weights: tuple[float, ...]
    """Inverse document frequency of each term."""
    components: tuple[tuple[float, ...], ...]
    """Per term, what it adds to each feature."""
    scores: int = 0
    """Features, the first ones, that were learned from the target; what training rows have of them is told by other rows."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0,) * (len(self.components[0]) + 1)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, components + 1)."""
        places = {term: place for place, term in enumerate(self.terms)}
        weights, components = np.array(self.weights), np.array(self.components)
        features = np.zeros((len(cells), components.shape[1] + 1))
        for row, text in enumerate(words(cells)):
            found = Counter(place for term in terms_of(text or "") if (place := places.get(term)) is not None)
            features[row, -1] = math.log1p(len(text or "")) / 4.0 - 1.0
            if found:
                chosen = np.fromiter(found, dtype=np.int64)
                values = (1.0 + np.log(np.fromiter(found.values(), dtype=np.float64))) * weights[chosen]
                features[row, :-1] = values @ components[chosen] / math.sqrt(values @ values)
        return features


def terms_of(text: str) -> list[str]:
    """Words in lower case, or characters that stand for such, and pairs of neighbours."""
    found = _WORD.findall(text.lower())
    return found + [f"{first} {second}" for first, second in itertools.pairwise(found)]
