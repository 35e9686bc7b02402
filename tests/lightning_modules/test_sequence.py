"""What sequences share: of long ones only the ends are read."""

from __future__ import annotations

import torch

from lightning_modules._sequence import ends


def test_between_the_two_ends_nothing_is_read() -> None:
    words = torch.arange(1.0, 21).reshape(2, 10, 1)
    mask = torch.arange(10) < torch.tensor([[9], [3]])
    vectors, known = ends(words, mask, 5)
    assert vectors[0, :, 0].tolist() == [1, 2, 7, 8, 9]
    assert vectors[1, :3, 0].tolist() == [11, 12, 13]
    assert known.tolist() == [[True] * 5, [True] * 3 + [False] * 2]
