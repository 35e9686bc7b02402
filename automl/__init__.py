"""Hyperparameter search over PyTorch Lightning model families that people can trust.

`search(task, config)` runs a search, `load_task(name)` returns a task, `load_model(path)` opens an exported bundle.
Importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl.bundle import load_model
    from automl.run import search
    from automl.tasks import load_task

__all__ = ["__version__", "load_model", "load_task", "search"]

_HOMES = {"search": "automl.run", "load_task": "automl.tasks", "load_model": "automl.bundle"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("automl-search")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'automl' has no attribute {name!r}")
