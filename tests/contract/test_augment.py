"""A training image is changed as asked, and no more."""

import torch

from lightning_modules._augment import augment

IMAGES = torch.arange(64 * 12.0).view(64, 1, 3, 4)


def test_nothing_asked_changes_nothing() -> None:
    assert augment(IMAGES, shift=0.0, rotation=0.0) is IMAGES


def test_mirror_swaps_left_and_right_in_some_images_only() -> None:
    torch.manual_seed(0)
    changed = augment(IMAGES, shift=0.0, rotation=0.0, mirror=True)
    is_mirrored = (changed == IMAGES.flip(-1)).flatten(1).all(dim=1)
    is_kept = (changed == IMAGES).flatten(1).all(dim=1)
    assert (is_mirrored ^ is_kept).all()
    assert 16 < is_mirrored.sum() < 48
