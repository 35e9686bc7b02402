"""Whether a person's texts may be cut into pieces of words: asked for in a task file, learned by a library that is an extra."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from automl.errors import ConfigError
from automl.tasks.own.choices import Choices
from automl.tasks.task import Task


def require_tokenizers(path: Path, choices: Choices) -> None:
    """Raise ConfigError where pieces of words are asked for and the extra is not installed."""
    if choices.tokens == "subwords" and importlib.util.find_spec("tokenizers") is None:
        raise ConfigError(
            f"{path}: 'tokens: subwords' needs tokenizers, which is not installed.",
            hint="pip install 'automl-search[subwords]', or leave the key out.",
        )


def with_tokens(task: Task, choices: Choices) -> Task:
    """Return the task with its texts cut as was asked. Raises ConfigError where its input is no text."""
    if choices.tokens != "words" and task.input_kind != "text":
        raise ConfigError(
            f"{task.source}: 'tokens: {choices.tokens}' is for texts that are the whole input, but the input is a {task.input_kind}. "
            f"Leave the key out."
        )
    return replace(task, tokens=choices.tokens)
