"""Files that a member leaves in the search's folder: written whole or not at all, named by their hash. Knows no training."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from automl.data.durable import replace_file
from automl.messages import Artifact

if TYPE_CHECKING:
    from torch import Tensor


def write_weights(search: Path, assignment: str, weights: dict[str, Tensor]) -> Artifact:
    """Write `artifacts/<assignment>.safetensors`."""
    from safetensors.torch import save

    on_cpu = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
    return _write(search, f"artifacts/{assignment}.safetensors", save(on_cpu))


def write_predictions(search: Path, assignment: str, predictions: np.ndarray) -> Artifact:
    """Write `artifacts/<assignment>.predictions.npy`: probabilities (rows, classes) or numbers (rows,) in own units."""
    content = io.BytesIO()
    np.save(content, predictions, allow_pickle=False)
    return _write(search, f"artifacts/{assignment}.predictions.npy", content.getvalue())


def write_arrays(search: Path, assignment: str, arrays: dict[str, np.ndarray], suffix: str = "") -> Artifact:
    """Write `artifacts/<assignment><suffix>.npz`."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return _write(search, f"artifacts/{assignment}{suffix}.npz", content.getvalue())


def _write(search: Path, relative: str, content: bytes) -> Artifact:
    path = search / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content)
    return Artifact(relative, hashlib.sha256(content).hexdigest(), len(content))
