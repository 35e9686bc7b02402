"""A trial is measured by the decisions that its probabilities allow, not by those at a half."""

from __future__ import annotations

import torch

from automl.data import load_schema, prepare
from automl.tasks import load_task
from automl.tasks.metrics import measure
from automl.worker.feeds import EvaluationFeed, Held


def test_f1_of_a_class_that_never_passes_a_half_is_not_blind(tmp_path):
    schema = load_schema(tmp_path, prepare(load_task("breast_cancer"), seed=0, data_folder=tmp_path).ref)
    target = (torch.arange(60) % 12 == 0).long()
    odds = -4.0 + 1.5 * target + 0.5 * torch.randn(60, generator=torch.Generator().manual_seed(0))
    feed = EvaluationFeed(Held(torch.zeros(60, 30), target), schema, "f1")
    found = feed.measure(torch.stack([torch.zeros(60), odds], dim=1))
    assert measure("f1", feed.measured_target, feed.predictions) == 0.0
    assert found["f1"] > 0.5
