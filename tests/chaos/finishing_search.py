"""The command that is killed while it finishes: a search of four quick trials that notes each phase it begins in `phases.log`.

`python finishing_search.py NAME SEED`.
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
    choices = SearchConfig(families=("mlp",), budget=Budget(trials=4), max_epochs=6, seed=int(sys.argv[2]), workers=2)
    automl.search("wine", choices, name=sys.argv[1], observer=note)
