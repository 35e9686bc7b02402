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

    def is_answered(self) -> bool:
        """Whether `answer` would return at once."""
        return self._postman is None or self._postman.is_new or self._postman.answer("champion") is not None

    def ask(self) -> None:
        """Send the question; does not wait."""
        if self._postman is not None:
            self._postman.ask("champion", into=str(self._folder.champion))

    def answer(self) -> dict[str, Any] | None:
        """Return `version`, `folder` (of its bundle, relative to the search's) and `trouble`; None where MLflow is away or off.

        A store that did not exist when the search began has no champion, and it may take its carrier long to make it on a busy
        machine; should another search have registered one meanwhile, it keeps its place.
        """
        if self._postman is not None and self._postman.is_new:
            return {"version": None, "folder": None, "trouble": ""}
        found = self._postman.answer("champion", _PATIENCE) if self._postman is not None else None
        if found is None or found["folder"] is None:
            return found
        return {**found, "folder": (self._folder.champion / found["folder"]).relative_to(self._folder.root).as_posix()}
