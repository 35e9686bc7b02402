"""Whether names without spaces, such as python3-bar or ann@example.org, are made of words that other names have too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from automl.encoding import WORD

_WORD = re.compile(WORD)
_LETTERS = re.compile(r"[^\W\d_]")
_HEXADECIMAL = re.compile(r"[0-9a-f_]+")
"""A piece of a hash or an address, which others have by chance."""
_FEWEST, _LEAST, _MOST = 3, 0.002, 0.5
"""Names that must share a piece, in number and as a share; and may: what nearly all have, such as ORD, tells nothing."""
_ENOUGH = 1 / 3
"""Of the names must have such a piece."""


def are_made_of_words(names: Sequence[str]) -> bool:
    """Whether a third of the names share pieces, which a text's encoder tells apart, with some others but not with most."""
    pieces = [_pieces_of(name) for name in names]
    counts = Counter(piece for found in pieces for piece in found)
    least, most = max(_FEWEST, _LEAST * len(names)), _MOST * len(names)
    shared = {piece for piece, count in counts.items() if least <= count <= most}
    return sum(not shared.isdisjoint(found) for found in pieces) >= _ENOUGH * len(names)


def _pieces_of(name: str) -> set[str]:
    found = _WORD.findall(name.lower())
    if len(found) < 2:
        return set()
    return {piece for piece in found if len(_LETTERS.findall(piece)) > 1 and not _HEXADECIMAL.fullmatch(piece)}
