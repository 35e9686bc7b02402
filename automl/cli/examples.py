"""Examples in the help of a command: real ones, which a test parses."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import Any, TypeVar

_Command = TypeVar("_Command", bound=Callable[..., Any])


def examples(*lines: str) -> Callable[[_Command], _Command]:
    """Add examples to the help of the command below; each line is what a person types."""

    def add(command: _Command) -> _Command:
        command.__doc__ = with_examples(cleandoc(command.__doc__ or ""), *lines)
        return command

    return add


def with_examples(text: str, *lines: str) -> str:
    """Return the help `text` with examples below it."""
    return "\n".join([text, "", "[bold]Examples[/bold]", "", *lines])
