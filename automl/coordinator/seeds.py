"""Seeds by hash: a slot's randomness depends on the search's seed and the slot alone, never on workers or timing."""

from __future__ import annotations

import hashlib


def slot_seed(search_seed: int, slot: int) -> int:
    """Return the 31-bit seed of a slot."""
    return _seed(search_seed, "slot", slot)


def confirm_seed(search_seed: int, part: int) -> int:
    """Return the seed of a confirmation; the same for every candidate, and none that a slot has used."""
    return _seed(search_seed, "confirm", part)


def _seed(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:4], "big") >> 1
