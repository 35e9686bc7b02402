"""The reference page, made from the command line's own help and from docstrings by `make docs`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from textwrap import dedent
from types import ModuleType
from typing import Any

import typer.main

import automl
from automl import config, errors
from automl.bundle import load
from automl.cli.main import app

HEAD = """# Reference

Made from `--help` and docstrings by `make docs`; a test fails when it is out of date.

## Command line
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD, *_commands(typer.main.get_command(app), "automl"), "## Python\n"]
    for name in ("search", "load_task", "load_model"):
        parts.append(_callable(f"automl.{name}", getattr(automl, name)))
    for method in ("predict", "predict_proba"):
        parts.append(_callable(f"Model.{method}", getattr(load.Model, method)))
    parts += [
        "### Settings: `automl.config.make_config(...)`\n",
        *_fields(config, "SearchConfig"),
        *_fields(config, "Budget"),
    ]
    parts += ["### Errors\n", f"```text\n{(errors.__doc__ or '').partition(chr(10) * 2)[2].strip()}\n```\n"]
    return "\n".join(parts)


def _commands(command: Any, path: str) -> Iterator[str]:
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(inner, f"{path} {name}")
    if not hasattr(command, "commands"):
        arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
        options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
        usage = " ".join([path, *(_metavar(argument) for argument in arguments)])
        yield f"### `{usage}`\n"
        yield _prose(command.help or "")
        rows = [*((_metavar(one), one) for one in arguments), *((", ".join(one.opts), one) for one in options)]
        rows = [(name, one) for name, one in rows if name != "--help"]
        if rows:
            yield "| | meaning | default |\n|---|---|---|"
            yield "\n".join(f"| `{name}` | {_cell(one.help or '')} | {_default(one)} |" for name, one in rows) + "\n"


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _default(parameter: Any) -> str:
    value = parameter.default
    return "" if value in (None, False, "") or callable(value) or parameter.required else f"`{value}`"


def _prose(text: str) -> str:
    """Help as Markdown: its examples, which are indented there, become code."""
    lines, code = [], False
    for line in dedent(re.sub(r"\x08|\[/?[a-z ]+\]", "", text)).splitlines():
        is_example = line.lstrip().startswith(("automl ", "$ "))
        if is_example != code:
            lines.append("```text" if is_example else "```")
            code = is_example
        lines.append(line.strip() if is_example else line)
    return "\n".join([*lines, *(["```"] if code else []), ""])


def _callable(name: str, function: Any) -> str:
    signature = re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", str(inspect.signature(function)))
    return f"### `{name}{signature}`\n\n{inspect.getdoc(function)}\n"


def _fields(module: ModuleType, name: str) -> Iterator[str]:
    """A class's fields, with the string that stands below each."""
    tree = ast.parse(inspect.getsource(module))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    rows = [
        (node.target.id, ast.unparse(node.value) if node.value else "", _string_after(body, index))
        for index, node in enumerate(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    yield f"`{name}`: {inspect.getdoc(getattr(module, name))}\n"
    yield "| field | default | meaning |\n|---|---|---|"
    yield "\n".join(f"| `{field}` | `{default}` | {_cell(text)} |" for field, default, text in rows) + "\n"


def _string_after(body: list[ast.stmt], index: int) -> str:
    following = body[index + 1] if index + 1 < len(body) else None
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        return str(following.value.value)
    return ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())
