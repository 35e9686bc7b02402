"""The bag of words and pairs."""

from __future__ import annotations

import torch

from automl import catalog
from automl.messages import Field, Spec


def test_a_word_counts_more_in_a_long_text_than_its_share_and_in_models_of_before_just_that() -> None:
    output = Field("y", "class", (2,), cardinality=2)
    spec = Spec((Field("x", "text", (64,), cardinality=9),), (output,), rows=800, classes=2, loss="cross_entropy")
    given = {**catalog.space("text_bag").DEFAULT, "buckets": 0}
    root = catalog.module("text_bag", spec, given)
    del given["scale"]
    mean = catalog.module("text_bag", spec, given)
    mean.network.load_state_dict(root.network.state_dict())
    mean.eval(), root.eval()
    text = torch.cat([torch.tensor([3.0]), torch.full((63,), 2.0)])[None]
    by_mean, by_root = (one(text) - one.network.linear.bias for one in (mean, root))
    torch.testing.assert_close(by_root, 8 * by_mean)
