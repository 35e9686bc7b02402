"""Rows that installed packages bundle. Downloads and copies nothing; files are found without importing their package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from automl.errors import ConfigError
from automl.tasks.cells import number_columns
from automl.tasks.task import Rows


def package_folder(package: str) -> Path | None:
    """Return where a package lies; None where it is not installed."""
    found = importlib.util.find_spec(package)
    return None if found is None or found.origin is None else Path(found.origin).parent


def bundled_file(package: str, path: str) -> Path:
    """Return a file of a package. Raises ConfigError, with what to install, where there is none."""
    folder = package_folder(package)
    if folder is None:
        raise ConfigError(f"The package {package} is not installed.", hint=f"pip install {package}")
    if not (folder / path).is_file():
        raise ConfigError(
            f"{package}: has no file {path}; another version may have it.", hint=f"pip install -U {package}"
        )
    return folder / path


def sklearn_rows(name: str, **options: Any) -> Rows:
    """Return the rows of a table of numbers that scikit-learn bundles: those of its `load_<name>(**options)`."""
    from sklearn import datasets  # heavy: only when the task is really read

    data = getattr(datasets, f"load_{name}")(**options)
    columns = tuple(map(str, data.feature_names))
    target = data.target_names[data.target] if "target_names" in data else data.target
    return Rows(number_columns(data.data, columns), columns, target)


def bundled_rows(package: str, path: str, target: str) -> Rows:
    """Return the rows of a table that a package bundles, read as a person's own would be. Raises ConfigError."""
    from automl.tasks.own.choices import Choices
    from automl.tasks.own.reading import whole_table
    from automl.tasks.own.table import infer_table

    return infer_table(package, whole_table(bundled_file(package, path), "utf-8"), Choices(target)).rows
