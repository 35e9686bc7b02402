"""Asking MLflow for the registered champion while the search goes on, so that nobody waits for the answer at its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automl.ledger import SearchFolder
from automl.tracking.postman import Postman

_PATIENCE = 15.0
"""Seconds for the answer once it is needed; a carrier on a busy machine has not had its turn yet."""


class ChampionQuestion:
    """One question per search; the carrier answers it, since it alone knows MLflow."""

    def __init__(self, postmen: Iterable[Postman], folder: SearchFolder) -> None:
        self._postman = next((postman for postman in postmen if postman.view == "mlflow"), None)
        self._folder = folder

    def ask(self) -> None:
        """Send the question; does not wait."""
        if self._postman is not None:
            self._postman.ask("champion", into=str(self._folder.champion))

    def answer(self) -> dict[str, Any] | None:
        """Return `version`, `folder` (of its bundle, relative to the search's) and `trouble`; None where MLflow is away or off."""
        found = self._postman.answer("champion", _PATIENCE) if self._postman is not None else None
        if found is None or found["folder"] is None:
            return found
        return {**found, "folder": (self._folder.champion / found["folder"]).relative_to(self._folder.root).as_posix()}
