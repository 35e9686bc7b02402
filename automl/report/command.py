"""The one command that searches the same again, from what the ledger says of a search."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from automl.config import SearchConfig
from automl.ledger import Header

_FLAGS = ("sampler", "pruner", "max_epochs", "metric", "families_from")
"""Settings that decide the result and have a flag; their defaults are left out of the command."""
_CHOICES = {
    "target": "--target",
    "kind": "--kind",
    "group": "--group",
    "time_column": "--time-col",
    "encoding": "--encoding",
    "input": "--input",
    "id": "--id",
    "horizon": "--horizon",
    "test": "--test",
}
"""Choices that have a flag."""


def command(header: Header) -> str:
    """Return the one command that searches the same again."""
    config, usual = header.config, SearchConfig()
    words = ["automl", "search", *_task(header), "--seed", str(config["seed"])]
    if header.name != f"{header.task['name']}-{config['seed']}":
        words += ["--name", header.name]
    if config.get("families"):
        words += ["--families", ",".join(config["families"])]
    budget = config["budget"]
    if budget.get("trials") is not None:
        words += ["--trials", str(budget["trials"])]
    if budget.get("seconds") is not None:
        words += ["--time", f"{budget['seconds']:g}s"]
    for name in _FLAGS:
        if config.get(name, getattr(usual, name)) != getattr(usual, name):
            words += [f"--{name.replace('_', '-')}", str(config[name])]
    for key, text in (config.get("overrides") or {}).items():
        words += ["--set", f"{key}={text}"]
    return shlex.join(words)


def command_for_trees(header: Header) -> str:
    """Return the command that searches gradient boosting alone on the same table; empty for other inputs."""
    if not header.data.get("columns"):
        return ""
    words = ["automl", "search", *_task(header), "--families", "boosted_trees", "--name", f"{header.name}-trees"]
    metric = header.config.get("metric")
    return shlex.join([*words, "--metric", metric] if metric else words)


def _task(header: Header) -> list[str]:
    """A built-in task by its name; one's own by its file as it was given, and what was said of it on the command line."""
    said = header.task.get("choices") or {}
    if not said:
        return [str(header.task["name"])]
    if said.get("file"):  # it says what no flag does
        return [said["file"], *_said(said["beside"])]
    source = str(header.task["source"])
    test = _beside(said["test"], said["path"], source) if said.get("test") else None
    return [source, *_said({**said, "test": test})]


def _said(choices: dict[str, Any]) -> list[str]:
    """Choices as flags."""
    words: list[str] = []
    for name, flag in _CHOICES.items():
        if choices.get(name) not in (None, "utf-8"):
            words += [flag, str(choices[name])]
    for column in choices.get("known") or ():
        words += ["--known", column]
    for column, kind in (choices.get("columns") or {}).items():
        words += ["--column", f"{column}={kind}"]
    return words


def _beside(test: str, path: str, source: str) -> str:
    """The test part's place as seen from where the source was named."""
    if Path(source).is_absolute():
        return test
    return os.path.relpath(test, Path(path).parents[len(Path(source).parts) - 1])
