"""What every step of one search needs, put together once in `run.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automl.config import SearchConfig
from automl.ledger import Header, Ledger, SearchFolder
from automl.messages import DataRef, Spec
from automl.search.coordinator import Coordinator
from automl.search.deadline import Deadline
from automl.search.events import Observer
from automl.search.phases import Phases
from automl.tasks import Task


@dataclass(frozen=True, slots=True)
class Stage:
    """One open search: its settings, its data, and those who work on it."""

    task: Task
    config: SearchConfig
    header: Header
    spec: Spec
    data: DataRef
    folder: SearchFolder
    ledger: Ledger
    coordinator: Coordinator
    deadline: Deadline
    phases: Phases
    observer: Observer
    data_folder: Path
    """Prepared arrays, a folder per data key."""
