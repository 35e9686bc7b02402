"""Which folder a model's name on the command line means. Opens nothing."""

from __future__ import annotations

from pathlib import Path

from automl.errors import ConfigError


def model_folder(model: str) -> Path:
    """Return a bundle's folder, or the folder of a task's versions under `exports/`. Raises ConfigError."""
    for folder in (Path(model), Path("exports") / model):
        if folder.is_dir():
            return folder
    raise ConfigError(f"No model at {model!r}: neither a folder nor a task under exports/. Run: automl search TASK")
