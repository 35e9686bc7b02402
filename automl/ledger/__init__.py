"""The ledger: the durable truth of one search. One writer, one transaction per fact."""

from automl.ledger.attempt import Attempt
from automl.ledger.home import Home, SearchFolder, require_writable
from automl.ledger.ledger import Header, Ledger
from automl.ledger.lock import SearchLock

__all__ = ["Attempt", "Header", "Home", "Ledger", "SearchFolder", "SearchLock", "require_writable"]
