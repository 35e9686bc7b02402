"""What a search is, as its ledger keeps it. Knows nothing of how rows are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Header:
    """What a search is: fixed at its start, compared when it is resumed."""

    uuid: str
    name: str
    created_ms: int
    task: dict[str, Any]
    config: dict[str, Any]
    spaces: dict[str, Any]
    """Per family: parameter -> distribution, as explored; a changed space is seen here."""
    data: dict[str, Any]
    code: dict[str, Any]
    """Versions and hashes of the code that made it."""
    result: dict[str, Any] | None = None
    """The JSON document of the finished search."""

    @property
    def concluded(self) -> int:
        """How many slots its result was drawn from."""
        counts = (self.result or {}).get("slots", {})
        return sum(counts.get(state, 0) for state in ("complete", "pruned", "failed"))
