"""The command that is killed while it finishes: a search of four quick trials that notes each phase it begins in `phases.log`.

`python finishing_search.py NAME SEED`. Many epochs make confirmation and refit last long enough to be hit; without ties the default seldom
wins, so that there is something to confirm.
"""

from __future__ import annotations

import sys
from pathlib import Path

import automl
from automl.config import Budget, SearchConfig
from automl.coordinator.events import PhaseBegan, SearchEvent


def note(event: SearchEvent) -> None:
    """Be the observer."""
    if isinstance(event, PhaseBegan):
        with Path("phases.log").open("a") as log:
            log.write(f"{event.name}\n")


if __name__ == "__main__":
    choices = SearchConfig(
        families=("mlp",), budget=Budget(trials=4), max_epochs=100, pruner="none", seed=int(sys.argv[2]), workers=2
    )
    automl.search("diabetes", choices, name=sys.argv[1], observer=note)
