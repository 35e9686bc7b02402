"""What a message says beyond its fields."""

from __future__ import annotations

from dataclasses import replace

import pytest
import stubs


@pytest.mark.parametrize(("epochs", "patience"), [(1, 5), (15, 5), (30, 10), (100, 33)])
def test_a_training_waits_a_third_of_its_epochs_for_an_improvement_and_five_at_least(
    epochs: int, patience: int
) -> None:
    assert replace(stubs.SPEC, max_resource=epochs).patience == patience
