"""Which pieces words are cut into, learned from the training rows by `tokenizers`: the extra `[subwords]`. Applies nothing."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import numpy as np

from automl.data.fitting import longest_read
from automl.encoding import BEGIN, LONGEST_WORD, Subwords, runs_of, words
from automl.tasks import Column

_MOST_JOINS = 4_000
_FEWEST = 2
"""Times that neighbours must occur to be joined, and a character to be known."""
_LONGEST = 240
"""Pieces of a text that are read at most, however many texts there are: of prose as much as 160 words."""
_UNKNOWN = "[UNK]"


def fit_subwords(column: Column, cells: np.ndarray) -> Subwords:
    """Return the pieces and how they are joined, and how many are read: as many as 95 % of texts have."""
    texts = [[BEGIN + word[:LONGEST_WORD] for word in runs_of(text or "")] for text in words(cells)]
    counts = Counter(character for text in texts for word in text for character in word)
    model: dict[str, Any] = json.loads(learned(texts, len(counts)).to_str())["model"]
    ranked = sorted(model["vocab"], key=model["vocab"].__getitem__)
    vocabulary = tuple(piece for piece in ranked if piece != _UNKNOWN and counts.get(piece, _FEWEST) >= _FEWEST)
    merges = tuple((first, second) for first, second in model["merges"])
    found = (Subwords(column.name, vocabulary, longest_read(len(cells), _LONGEST), merges).encode(cells) > 0).sum(
        axis=1
    )
    length = int(np.quantile(found, 0.95)) if len(found) else 1
    return Subwords(column.name, vocabulary, max(8, length), merges)


def learned(texts: list[list[str]], characters: int) -> Any:
    """Return the library's tokenizer, trained on the words of texts, which have so many characters.

    Equal texts give equal tokenizers in every process: with the library's own mark for what stands inside a word, or its own limit
    on characters, ties would be decided by the order of a hash table.
    """
    # Without threads of its own: processes are forked from this one, and the library warns of that on stderr.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN, fuse_unk=False))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # no word holds a space
    trainer = trainers.BpeTrainer(
        vocab_size=1 + characters + _MOST_JOINS,
        min_frequency=_FEWEST,
        special_tokens=[_UNKNOWN],
        show_progress=False,
    )
    tokenizer.train_from_iterator((" ".join(each) for each in texts), trainer)
    return tokenizer
