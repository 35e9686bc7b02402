"""Bringing the views of a search into step outside of a search, and proving that they are: `automl searches sync`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from automl.ledger import Attempt, Header, Ledger, SearchFolder, SearchLock, begun
from automl.tracking.mlflow_view import MlflowView
from automl.tracking.optuna_view import OptunaView
from automl.tracking.records import record
from automl.tracking.uri import obstacle
from automl.tracking.view import Misplaced, Refused, Unreachable
from automl.tracking.views import mlflow_settings

_PATIENCE = 30.0
"""Seconds that one step may fail in a row: a bad network spoils some calls, and none is lost by repeating it."""
_PAUSE = 0.1
T = TypeVar("T")


def sync(folder: SearchFolder, *, warn: Callable[[str], None] = lambda text: None) -> dict[str, dict[str, int]]:
    """Send what the views lack, and compare; returns per view `total` slots, `synced`, `missing` and `extra`.

    Everything is decided by what the views hold, not by what was once acknowledged: a run that a person deleted is made again,
    one that was left running is ended. Raises SearchHeld while the search runs, since its own carriers are at work then, and
    StorageError where MLflow cannot be reached.
    """
    with SearchLock(folder.root), _for_its_owner_only(), closing(Ledger.open(folder.ledger)) as ledger:
        header = begun(ledger, folder.name)
        final = ledger.attempts(kind="trial", final=True)
        write_optuna(ledger, header, final, folder.optuna)
        report = {"optuna": {"total": len(final), "synced": len(final), "missing": 0, "extra": 0}}
        if header.config.get("tracking", True):
            report["mlflow"] = _sync_mlflow(ledger, header, final, warn)
    return report


@contextmanager
def _for_its_owner_only() -> Iterator[None]:
    """Files that MLflow and Optuna make in the block are for their owner only, as those that a carrier makes."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def write_optuna(ledger: Ledger, header: Header, final: list[Attempt], path: Path) -> None:
    """Bring Optuna's copy at `path`, made where there is none, into step with the final slots."""
    view = OptunaView({"path": str(path), "search": header.name})
    view.open()
    with closing(view):
        for attempt in final:
            view.send(record(header, "optuna", 0, "slot", attempt))
    _acknowledge(ledger, "optuna")


def _sync_mlflow(ledger: Ledger, header: Header, final: list[Attempt], warn: Callable[[str], None]) -> dict[str, int]:
    settings = mlflow_settings(header)
    view = MlflowView(settings, say=warn)

    def persist(step: Callable[[], T]) -> T:
        return _persist(step, settings["tracking_uri"])

    persist(view.open)
    with closing(view):
        keys = {f"{header.uuid}/{attempt.slot}": attempt for attempt in final}
        records = [record(header, "mlflow", 0, "search", None)]
        records += [
            record(header, "mlflow", 0, "slot", keys[key]) for key in persist(lambda: view.reconcile(keys)).missing
        ]
        if header.result is not None:
            closed_ms = ledger.last_closed_ms()
            records += [record(header, "mlflow", 0, topic, None, closed_ms=closed_ms) for topic in ("end", "export")]
        for each in records:
            try:
                answer = persist(partial(view.send, each))
                if each["topic"] == "export" and header.result is not None:
                    ledger.amend({**header.result, "registered": answer})
            except Refused as refusal:  # one broken record must not keep the others out
                warn(str(refusal))
        found = persist(lambda: view.reconcile(keys))
    if not found.missing:
        _acknowledge(ledger, "mlflow")
    return {"total": len(final), "synced": found.synced, "missing": len(found.missing), "extra": found.extra}


def _persist(step: Callable[[], T], uri: str) -> T:
    """Repeat a step that fails while somebody answers at `uri`; a store that is away, or that no waiting mends, is said at once."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return step()
        except Misplaced:
            raise
        except Unreachable:
            if time.monotonic() > until or obstacle(uri):
                raise
            time.sleep(_PAUSE)


def _acknowledge(ledger: Ledger, view: str) -> None:
    ledger.mark_sent([message for message, *_ in ledger.unsent(view, limit=1 << 30)])


def describe(report: dict[str, dict[str, Any]]) -> list[str]:
    """Return one line per view: `mlflow: synced 60/60, 0 missing, 0 extra`."""
    return [
        f"{view}: synced {found['synced']}/{found['total']}, {found['missing']} missing, {found['extra']} extra"
        for view, found in report.items()
    ]
