"""What every step of one search needs, put together once in `run.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automl.config import SearchConfig
from automl.coordinator.deadline import Deadline
from automl.coordinator.events import Observer
from automl.coordinator.loop import Coordinator
from automl.coordinator.phases import Phases
from automl.ledger import Header, Ledger, SearchFolder
from automl.messages import DataRef, Spec
from automl.tracking.question import ChampionQuestion


@dataclass(frozen=True, slots=True)
class Stage:
    """One open search: its settings, its data, and those who work on it."""

    config: SearchConfig
    header: Header
    spec: Spec
    data: DataRef
    data_folder: Path
    """Prepared arrays, a folder per data key."""
    folder: SearchFolder
    ledger: Ledger
    coordinator: Coordinator
    deadline: Deadline
    phases: Phases
    champion: ChampionQuestion
    observer: Observer
