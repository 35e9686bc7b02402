"""A schema as JSON: written, read, and checked once it is read, since a stranger may have made it. Knows no rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from typing import Any, TypeVar

from automl.data import strict_json
from automl.data.encoder_check import check_encoder
from automl.data.schema_fields import FORMAT, SchemaFields
from automl.encoding import WholeEncoder, encoder_from
from automl.errors import DataError

_LATER = ("ahead", "ahead_scales", "rated", "rates", "scores", "utc")
"""Fields of encoders that are left out where they are empty, so that a schema without them keeps the text and hash of before."""
_KINDS = ("classification", "regression")
_INPUT_KINDS = ("table", "image", "text", "series")
_S = TypeVar("_S", bound=SchemaFields)


def dump(schema: SchemaFields) -> str:
    """Return the schema as readable JSON. Prepared data and bundles are found by a hash of it: equal schemas have equal text."""
    document = {item.name: getattr(schema, item.name) for item in dataclasses.fields(schema)}
    if not schema.logarithmic:
        del document["logarithmic"]  # as `_LATER`
    document["encoders"] = [
        {"kind": one.kind, **{k: v for k, v in dataclasses.asdict(one).items() if v or k not in _LATER}}
        for one in schema.encoders
    ]
    return json.dumps(document, indent=1, allow_nan=False)


def fingerprint(schema: SchemaFields) -> str:
    """Return a hash of how rows are read and encoded, whatever the reasons were: models of two that differ see other inputs."""
    document = json.loads(dump(schema)) | {"why": None, "unused": sorted(schema.unused)}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def parse(text: str | bytes, kind: type[_S]) -> _S:
    """Rebuild a schema of this class; raises DataError for another format version or a malformed document."""
    try:
        data: dict[str, Any] = strict_json.parse(text)
        if data["format"] != FORMAT:
            raise DataError(
                f"The schema has format {data['format']!r:.40}, this version reads {FORMAT}. Update automl-search."
            )
        data["encoders"] = tuple(encoder_from(one) for one in data["encoders"])
        if not isinstance(data["labels"], list):
            raise TypeError("labels must be a list")
        data["labels"] = tuple(data["labels"])
        schema = kind(**data)
        _check(schema)
    except DataError:
        raise
    except Exception as error:  # whatever a stranger's document makes of the lines above
        raise DataError(
            f"The schema cannot be read ({type(error).__name__}).", hint="Prepare the data again."
        ) from None
    return schema


def _check(schema: SchemaFields) -> None:
    """Raise ValueError or TypeError where a part is not what the fields say."""
    kind, input_kind, encoders = schema.kind, schema.input_kind, schema.encoders
    if not all(isinstance(said, dict) for said in (schema.unused, schema.why, schema.gaps)):
        raise TypeError("what is said of columns must be told by column")
    names = (schema.task, kind, input_kind, schema.target, *schema.labels, *schema.gaps)
    names += tuple(word for said in (schema.unused, schema.why) for pair in said.items() for word in pair)
    numbers = (schema.target_mean, schema.target_scale, schema.white, *schema.gaps.values())
    if not all(isinstance(word, str) for word in names):
        raise TypeError("names, columns and labels must be text")
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise TypeError("means and scales must be numbers")
    if not isinstance(schema.logarithmic, bool) or (schema.logarithmic and kind != "regression"):
        raise TypeError("only numbers have a logarithm")
    if kind not in _KINDS or input_kind not in _INPUT_KINDS or (kind == _KINDS[0]) != bool(schema.labels):
        raise ValueError("kind and labels must fit each other")
    if not all(math.isfinite(number) for number in numbers) or not all((schema.target_scale, schema.white)):
        raise ValueError("scales must be finite and not zero")
    if not encoders or (len(encoders) > 1) & any(isinstance(one, WholeEncoder) for one in encoders):
        raise ValueError("an encoder of the whole input stands alone")
    for encoder in encoders:
        check_encoder(encoder)
    if len(set(schema.columns)) < len(schema.columns) or len(set(schema.labels)) < len(schema.labels):
        raise ValueError("columns and labels must differ from each other")
