"""A bundle that does not give the stored outputs in a clean process leaves the search as an error, and never as a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.config import make_config
from automl.errors import AutoMLError
from automl.executors.inline import InlineExecutor
from automl.messages import Assignment, Outcome
from automl.run import search
from automl.worker.perform import Channel, Places, perform


def spoiling(assignment: Assignment, channel: Channel, places: Places) -> tuple[Outcome, ...]:
    """Do the work; of an export the program for others is cut off."""
    outcomes = perform(assignment, channel, places)
    if assignment.kind == "export":
        made = places.search / outcomes[0].artifacts["model.pt2"].path
        made.write_bytes(made.read_bytes()[:1000])
    return outcomes


@pytest.mark.slow
def test_no_bundle_is_published_that_the_clean_process_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = make_config(families=("mlp",), budget={"trials": 1}, max_epochs=1, executor="inline", tracking=False)
    with pytest.raises(AutoMLError, match="does not verify"):
        search("wine", config, executor_for=lambda config, seats, places: InlineExecutor(places, spoiling))
    assert not list(Path("exports").rglob("LATEST"))
