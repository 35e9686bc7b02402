"""Every command, found from the app itself, and the examples in a help. Used by the tests of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from automl.cli.main import app

ROOT: Any = typer.main.get_command(app)


def _below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below(inner, (*path, name))


COMMANDS = tuple(_below(ROOT, ()))
"""`("models", "list")` and so on, nouns alone among them; the root is empty."""


def named(path: tuple[str, ...]) -> str:
    """`automl models list`, for the ids of tests too."""
    return " ".join(["automl", *path])


def examples(text: str, path: tuple[str, ...]) -> list[str]:
    """The lines below `Examples` in a help that show its own command."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines[lines.index("Examples") :] if named(path) in line and "│" not in line]
