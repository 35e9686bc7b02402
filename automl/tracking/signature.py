"""What a bundle takes and gives, in MLflow's words: signature, input example and requirements. Read from the bundle's own files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.bundle.format import EXAMPLE, LIBRARIES, SCHEMA, Manifest, read_member
from automl.data import Schema
from automl.encoding import (
    ISO,
    QUARTER,
    Category,
    ColumnEncoder,
    Date,
    Forecast,
    Grid,
    Number,
    Series,
    Steps,
    Text,
    Tokens,
)

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLE_ROWS = 2


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
        **({schema.id: "string"} if schema.id else {}),
        **({"step": "long"} if schema.horizon else {}),
        "prediction": "string" if schema.labels else "double",
        **{f"p_{label}": "double" for label in schema.labels},
    }
    return ModelSignature(
        Columns([*(ColSpec(AnyType(), name) for name in schema.columns)]),
        Columns([*(ColSpec(kind, name) for name, kind in given.items())]),
    )


def example(bundle: Path, manifest: Manifest) -> pd.DataFrame:
    """Return raw rows: of images the encoded ones that were exported with the model, in their own units; of a table a typical row."""
    import numpy as np
    import pandas as pd
    from safetensors.numpy import load

    schema = _schema(bundle, manifest)
    first = schema.encoders[0]
    if schema.is_long:
        return _series(schema)
    if isinstance(first, Series):
        return pd.DataFrame([dict.fromkeys(first.columns, round(first.means[0], 6))])
    if not isinstance(first, Grid):
        return pd.DataFrame([{one.name: _typical(one) for one in schema.named}])
    encoded = load(read_member(bundle, manifest, EXAMPLE))["inputs"][:_EXAMPLE_ROWS].astype(np.float64)
    axes = (-1,) + (1,) * (len(first.shape) - 1)
    rows = encoded * np.reshape(first.scales, axes) + np.reshape(first.means, axes)
    return pd.DataFrame(rows.reshape(len(rows), -1).round(6), columns=list(schema.columns))


def _series(schema: Schema) -> pd.DataFrame:
    """Long rows of one series that does not move, as many as are read, a day apart where times are dates.

    Where columns are known ahead, so many rows more as are predicted, without what is predicted.
    """
    import numpy as np
    import pandas as pd

    first = schema.encoders[0]
    assert isinstance(first, Steps)
    middle = first.means if isinstance(first, Series) else (0.0,) * first.channels
    count = first.steps + (schema.horizon if schema.ahead else 0)
    cells: dict[str, Any] = {first.id: ["1"] * count} if first.id else {}
    if first.formats:
        days = pd.date_range("2000-01-01", periods=count, freq="MS" if _is_monthly(first) else "D")
        cells[first.time] = days.strftime("%Y-%m-%d").tolist()  # which is read whatever the formats
    elif first.time:
        cells[first.time] = np.arange(count) * (first.beat if isinstance(first, Forecast) else 1.0)
    cells |= {name: [round(mean, 6)] * count for name, mean in zip(first.columns, middle, strict=True)}
    frame = pd.DataFrame(cells)
    frame.loc[first.steps :, first.columns[0]] = np.nan
    return frame


def _is_monthly(encoder: Steps) -> bool:
    return isinstance(encoder, Forecast) and encoder.calendar == "months"


def _typical(encoder: ColumnEncoder) -> float | str:
    match encoder:
        case Number():
            return round(encoder.mean, 6)
        case Category():
            return encoder.levels[0] if encoder.levels else ""
        case Date():
            when = datetime.fromtimestamp(encoder.mean, tz=UTC).replace(tzinfo=None, microsecond=0)
            form = encoder.formats[0]
            is_written = form not in (ISO, QUARTER) and "%z" not in form
            return when.strftime(form) if is_written else when.isoformat(" ")
        case Text():
            return encoder.terms[0]
        case Tokens():
            return " ".join(encoder.vocabulary[:5])
    raise TypeError(f"no cell is typical of {encoder.kind}")


def libraries(manifest: Manifest) -> list[str]:
    """Return the requirements with the versions that the model was made with."""
    return [f"{name}=={manifest.libraries[name]}" for name in LIBRARIES if name in manifest.libraries]


def _schema(bundle: Path, manifest: Manifest) -> Schema:
    return Schema.from_json(read_member(bundle, manifest, SCHEMA))
