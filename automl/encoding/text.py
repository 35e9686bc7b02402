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
    """Free text among other columns, as a few numbers: scores of the target if any, components of its terms' weights, and its length.

    Weights are term frequency times inverse document frequency, scaled to unit length; components are the first of their singular
    value decomposition (latent semantic analysis, Deerwester et al. 1990).
    """

    kind: ClassVar[str] = "text"
    terms: tuple[str, ...]
    """Words, and pairs of neighbours joined by a space."""
    weights: tuple[float, ...]
    """Inverse document frequency of each term."""
    components: tuple[tuple[float, ...], ...]
    """(terms, features): what each term's weight is multiplied with, scores first, then latent components."""
    scores: int = 0
    """How many of the features, counted from the first, are scores: predictions of the target by a linear model of the terms.

    0: none, as the text did not help to predict it. A new row is scored with `components`. Training rows are scored by models that
    were fitted without them, else the scores would leak their targets: see `automl.data.telling`.
    """

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """0 per feature: numbers."""
        return (0,) * (len(self.components[0]) + 1)

    def encode(self, cells: np.ndarray) -> np.ndarray:
        """(rows,) -> (rows, features + 1): scores and components, then the logarithm of the length in characters."""
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
