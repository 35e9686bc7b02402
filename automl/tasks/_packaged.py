"""Files that installed packages bundle, found without importing the package. Downloads and copies nothing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from automl.errors import ConfigError


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
