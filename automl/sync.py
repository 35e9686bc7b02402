"""Bringing the views of a search into step outside of a search: `automl searches sync`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from automl.errors import ConfigError
from automl.ledger import Home, Ledger, SearchLock
from automl.tracking.views import open_views


def sync(
    name: str, *, home: Home | None = None, rebuild: bool = False, warn: Callable[[str], None] = lambda text: None
) -> dict[str, dict[str, Any]]:
    """Send what the views lack; returns per view `total`, `synced` and `pending` slots.

    `rebuild` announces every message again: what is already there is found by its key and left as it is.
    Raises SearchHeld while the search runs, since its own carriers are at work then.
    """
    folder = (home or Home.from_environment()).existing(name)
    with SearchLock(folder.root), closing(Ledger.open(folder.ledger)) as ledger:
        header = ledger.header()
        if header is None:
            raise ConfigError(f"search '{name}' was never begun. Delete it: automl searches delete {name}")
        total = len(ledger.attempts(kind="trial", final=True))
        report: dict[str, dict[str, Any]] = {}
        with open_views(ledger, header, folder, mlflow=header.config["tracking"], warn=warn) as postmen:
            for postman in postmen:
                if rebuild:
                    ledger.announce_again(postman.view)
                pending = postman.drain()
                report[postman.view] = {
                    "total": total,
                    "synced": total - ledger.count_unsent(postman.view, "slot"),
                    "pending": pending,
                }
    return report
