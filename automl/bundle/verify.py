"""Does a bundle give, in a process that knows nothing else, what it gave when it was exported? Started by `export/clean.py`.

Opens the `.pt2`, which unpickles: meant for a bundle that this program has just written, not for one that came from elsewhere.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np

from automl.bundle.format import EXAMPLE, PT2, check_bundle, read_member
from automl.bundle.load import load_model
from automl.catalog import add_families_from
from automl.errors import AutoMLError, StorageError

TOLERANCE = 1e-5


def verify(folder: Path) -> None:
    """Compare the stored example's outputs with those of the rebuilt module and of the `.pt2`. Raises StorageError."""
    import io

    import torch
    from safetensors.numpy import load

    manifest = check_bundle(folder)
    example = load(read_member(folder, manifest, EXAMPLE))
    model = load_model(folder)
    _compare(folder, "weights.safetensors", model.outputs(example["inputs"]), example["outputs"])
    portable = torch.export.load(io.BytesIO(read_member(folder, manifest, PT2))).module()
    for rows in {len(example["inputs"]), 1}:  # another number of rows than the one it was traced with
        outputs = portable(torch.from_numpy(example["inputs"][:rows])).detach().numpy()
        _compare(folder, PT2, outputs, example["outputs"][:rows])


def main(arguments: list[str]) -> int:
    """Import, then read a folder from stdin and verify it; returns 0, or writes one line to stderr and returns an exit code.

    `arguments`: a folder with families of one's own, or nothing. Without a line on stdin there is nothing to do: whoever would
    have named the folder is gone.
    """
    importlib.import_module("torch._dynamo")  # most of what loading a `.pt2` takes
    try:
        for families in arguments:
            add_families_from(families)
        if folder := sys.stdin.readline().rstrip("\n"):
            verify(Path(folder))
    except AutoMLError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _compare(folder: Path, form: str, outputs: np.ndarray, expected: np.ndarray) -> None:
    if outputs.shape != expected.shape or not np.allclose(outputs, expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise StorageError(
            f"Bundle {folder}: {form} does not give the outputs it was exported with. Export the model again."
        )
