"""One thing that was looked at, and how it is. Knows nothing of how it was looked at or is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "problem"]
"""`note`: worth knowing, and searches go on; `problem`: something that a person should mend."""
STORAGE = ("storage", "searches", "tracking")
"""Sections whose problems end with the exit code of a StorageError."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the examination."""

    section: str
    """`versions`, `devices`, `storage`, `searches` or `tracking`."""
    name: str
    state: State
    found: str
    hint: str = ""
    """The next step; each problem has one."""


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 without problems, 5 with one in what is stored, else 1."""
    sections = {finding.section for finding in findings if finding.state == "problem"}
    if not sections:
        return 0
    return 5 if sections & set(STORAGE) else 1
