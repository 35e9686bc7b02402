"""The small residual network for images."""

from __future__ import annotations

from automl import catalog
from automl.messages import Field, Spec


def test_a_cnn_of_before_pools_by_the_average_alone() -> None:
    output = Field("y", "class", (3,), cardinality=3)
    spec = Spec((Field("x", "image", (1, 8, 8)),), (output,), rows=800, classes=3, loss="cross_entropy")
    given = dict(catalog.space("cnn").DEFAULT)
    both = catalog.module("cnn", spec, given)
    del given["pooling"]
    before = catalog.module("cnn", spec, given)
    assert (before.network[-1].in_features, both.network[-1].in_features) == (32, 64)
