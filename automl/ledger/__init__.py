"""The ledger: the durable truth of one search. One writer, one transaction per fact.

Importing this package imports no database: a shell that completes the name of a search only looks at folders.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl.ledger.attempt import Attempt
    from automl.ledger.header import Header
    from automl.ledger.home import Home, SearchFolder, require_writable
    from automl.ledger.ledger import Ledger
    from automl.ledger.lock import SearchLock
    from automl.ledger.reading import begun, how_to_begin, open_to_read
    from automl.ledger.verdict import headline, is_default

__all__ = [
    "Attempt",
    "Header",
    "Home",
    "Ledger",
    "SearchFolder",
    "SearchLock",
    "begun",
    "headline",
    "how_to_begin",
    "is_default",
    "open_to_read",
    "require_writable",
]

_HOMES = {
    "Attempt": "attempt",
    "Header": "header",
    "Home": "home",
    "Ledger": "ledger",
    "SearchFolder": "home",
    "SearchLock": "lock",
    "begun": "reading",
    "headline": "verdict",
    "is_default": "verdict",
    "how_to_begin": "reading",
    "open_to_read": "reading",
    "require_writable": "home",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"automl.ledger.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'automl.ledger' has no attribute {name!r}")
