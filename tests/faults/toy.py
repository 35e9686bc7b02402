"""The toy search within this process: no imports, no worker server, so it takes a fifth of a second. With `faultlib.Search` in the same
folder it is the same search, and goes on where that one ended."""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any

import faultlib
from faultlib import FAMILY, SPACE, add_family, finals, ledger_rows

from automl.config import SearchConfig, make_config
from automl.coordinator.events import Resumed, Said
from automl.errors import AutoMLError
from automl.executors.inline import InlineExecutor
from automl.ledger import Home, Ledger
from automl.run import search
from automl.tasks.task import Task


class LeftOut(Exception):
    """The search went well up to its refit."""


class Toy:
    """The toy search, trials by the stub in a thread; ends at its refit, which is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / ".automl")
        self.search = self.home.search("toy-0").root
        self.events: list[Any] = []
        self.search.mkdir(parents=True)

    def run(
        self,
        *,
        task: Task | None = None,
        name: str | None = None,
        perform: Any = faultlib.perform,
        space: str = SPACE,
        module: str = FAMILY,
        executor: type[InlineExecutor] = InlineExecutor,
        **choices: Any,
    ) -> None:
        """Search, or resume; a search that goes well returns, any other raises."""
        for package in ("search_spaces", "lightning_modules"):
            sys.modules.pop(f"{package}.bowl", None)
        importlib.invalidate_caches()
        families = add_family(self.folder / "families", "bowl", space, module)
        settings = {
            "families": ("bowl",),
            "families_from": families,
            "max_epochs": 5,
            "confirm_seeds": 1,
            "pruner": "none",
            "tracking": False,
        }
        config = make_config(**{**settings, "budget": {"trials": 3}, **choices})
        self.events.clear()
        with contextlib.suppress(LeftOut):
            self._search(task or faultlib.toy_task(), config, name, lambda places: executor(places, perform))

    def _search(self, task: Task, config: SearchConfig, name: str | None, executor: Any) -> None:
        try:
            search(
                task,
                config,
                name=name,
                home=self.home,
                observer=self.events.append,
                executor_for=lambda config, slots, places: executor(places),
            )
        except AutoMLError as error:
            if "refit failed: left out" in str(error):
                raise LeftOut from error
            raise

    def said(self) -> str:
        """All lines for people."""
        return "\n".join(event.text for event in self.events if isinstance(event, Said))

    def ledger(self) -> Ledger:
        """The search's ledger."""
        return Ledger.open(self.search / "ledger.db")

    def resumptions(self) -> list[tuple[list[int], int]]:
        """Slots that were done, and how many were requeued, at each resumption."""
        return [([a.slot for a in e.done], e.requeued) for e in self.events if isinstance(e, Resumed)]


def assert_resumes_to_the_end(toy: Toy, slots: int = 6, **choices: Any) -> None:
    """The same search again, in this process: every slot is final once and nothing is open."""
    (toy.search / "misbehave").write_text("")
    toy.run(budget={"trials": slots}, **choices)
    assert len(toy.resumptions()) == 1
    assert finals(toy.search) == list(range(slots))
    assert ledger_rows(toy.search, "SELECT count(*) FROM attempt WHERE state = 'open'") == [(0,)]
