"""What a bundle takes and gives, in MLflow's words: signature, input example and requirements. Read from the bundle's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.bundle.format import EXAMPLE, SCHEMA, Manifest, read_member
from automl.data import Schema

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLE_ROWS = 2
_PACKAGES = ("automl-search", "torch", "pytorch-lightning", "numpy", "safetensors")


def signature(bundle: Path, manifest: Manifest) -> Any:
    """Return the columns by name.

    Inputs are of any type: MLflow would refuse whole numbers where a signature says `double`, and a CSV of pixels is full of
    them. The bundle itself checks that they are numbers.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec
    from mlflow.types import Schema as Columns
    from mlflow.types.schema import AnyType

    schema = _schema(bundle, manifest)
    given = {
        "prediction": "string" if schema.labels else "double",
        **{f"p_{label}": "double" for label in schema.labels},
    }
    return ModelSignature(
        Columns([*(ColSpec(AnyType(), name) for name in schema.columns)]),
        Columns([*(ColSpec(kind, name) for name, kind in given.items())]),
    )


def example(bundle: Path, manifest: Manifest) -> pd.DataFrame:
    """Return two raw rows: the encoded ones that were exported with the model, brought back to the columns' own units."""
    import numpy as np
    import pandas as pd
    from safetensors.numpy import load

    schema = _schema(bundle, manifest)
    encoded = load(read_member(bundle, manifest, EXAMPLE))["inputs"][:_EXAMPLE_ROWS].astype(np.float64)
    axes = (-1,) + (1,) * (len(schema.shape) - 1)
    rows = encoded * np.reshape(schema.scales, axes) + np.reshape(schema.means, axes)
    return pd.DataFrame(rows.reshape(len(rows), -1).round(6), columns=list(schema.columns))


def libraries(manifest: Manifest) -> list[str]:
    """Return the requirements with the versions that the model was made with."""
    return [f"{name}=={manifest.libraries[name]}" for name in _PACKAGES if name in manifest.libraries]


def _schema(bundle: Path, manifest: Manifest) -> Schema:
    return Schema.from_json(read_member(bundle, manifest, SCHEMA))
