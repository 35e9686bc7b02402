"""Phases add up to the command's time, from its begin on: what was read before the search counts for its start."""

from __future__ import annotations

import time

import pytest

from automl.coordinator.events import silent
from automl.coordinator.phases import Phases


def test_the_first_phase_began_with_the_command_and_all_add_up() -> None:
    phases = Phases(silent, time.monotonic() - 5.0)
    phases.begin("start")
    phases.begin("search")
    time.sleep(0.02)
    phases.begin("search")
    phases.end()
    assert phases.seconds["start"] == pytest.approx(5.0, abs=0.5)
    assert 0.02 <= phases.seconds["search"] < 0.5
    assert sum(phases.seconds.values()) == pytest.approx(phases.total, abs=0.05)
