"""Every error this project raises on purpose, with the exit code the command line returns for it.

AutoMLError              1   unexpected, or raised by a caller of the library
├── ConfigError          2   a flag, a name, a file of settings: wrong usage
├── DataError            3   the data cannot be learned from
├── NoUsableTrial        4   the search ended without one complete trial
├── StorageError         5   database, disk or permission
│   └── UnknownFamily    2   a bundle's family was not made known: a flag is missing
├── SearchHeld           6   another process holds this search
└── Stopped        130/143   a person or the system asked us to stop; the search can be resumed
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AutoMLError(Exception):
    """What must hold, what came, what to do: one line for people, `hint` for the next step."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(AutoMLError):
    """Wrong usage: a flag, a name or a settings file."""

    exit_code = 2


class DataError(AutoMLError):
    """The data cannot be used; the message names file, column and row where it can."""

    exit_code = 3


class NoUsableTrial(AutoMLError):
    """The search ended without a complete trial, so there is nothing to confirm or export."""

    exit_code = 4


class StorageError(AutoMLError):
    """The ledger, the disk or a permission stands in the way. What was acknowledged stays stored."""

    exit_code = 5


class UnknownFamily(StorageError):
    """A bundle needs a family that is not known here: nothing is wrong with the bundle, but a flag is missing."""

    exit_code = 2


class SearchHeld(AutoMLError):
    """Another living process works on this search."""

    exit_code = 6


class Stopped(AutoMLError):
    """A signal ended the search tidily; `exit_code` is 130 for Ctrl-C and 143 for SIGTERM."""

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 130) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean '{near[0]}'?" if near else ""
