"""From settings to an executor. The only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable

from automl.config import SearchConfig
from automl.executors.base import Executor
from automl.executors.devices import Seat
from automl.worker.perform import Places

ExecutorFactory = Callable[[SearchConfig, tuple[Seat, ...], Places], Executor]


def make_executor(config: SearchConfig, seats: tuple[Seat, ...], places: Places) -> Executor:
    """Return the executor that the settings name, not started."""
    if config.executor == "inline":
        from automl.executors.inline import InlineExecutor

        return InlineExecutor(places)
    from automl.executors.local import LocalExecutor

    return LocalExecutor(seats, places, families_from=config.families_from, stall_timeout=config.stall_timeout)
