"""`model.json`: what a model is built from, one family or several with weights. Reads and writes JSON; builds no model.

One part keeps the form `{family, params, spec, temperature, threshold}`; of several `{members: [{family, params, weight}], ...}`.
A bundle without a temperature is older and has 1, one without a threshold 0.5: the format version stays 1, since every older bundle is
still read as it was.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl import catalog
from automl.bundle.format import MODEL
from automl.data import strict_json
from automl.errors import StorageError, UnknownFamily
from automl.messages import Spec, spec_from
from automl.tasks.metrics import EVEN

COLDEST, HOTTEST = 0.2, 5.0
"""Temperatures that a bundle may have: beyond them probabilities are all but one-hot, or all but equal."""
MOST_MEMBERS = 16
_LARGEST_SIZE = 1 << 53
"""What every reader of JSON holds without loss."""
_FAMILY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Part:
    """One network of a model."""

    family: str
    params: dict[str, Any]
    weight: float = 1.0
    """Its share in the weighted mean; the shares of all parts add up to 1."""


@dataclass(frozen=True, slots=True)
class Description:
    """What `model.json` holds."""

    parts: tuple[Part, ...]
    spec: Spec
    temperature: float = 1.0
    """Logits are divided by it (Guo et al. 2017, arXiv:1706.04599)."""
    threshold: float = EVEN
    """Of two classes the second is predicted where its probability, so calibrated, is above it."""

    def to_json(self) -> bytes:
        """Return the content of `model.json`."""
        common = {
            "spec": dataclasses.asdict(self.spec),
            "temperature": self.temperature,
            "threshold": self.threshold,
        }
        if len(self.parts) == 1:
            (part,) = self.parts
            return json.dumps({"family": part.family, "params": part.params, **common}, indent=1).encode()
        return json.dumps({"members": [dataclasses.asdict(part) for part in self.parts], **common}, indent=1).encode()


def parse_model(content: bytes, folder: Path) -> Description:
    """Return what a model is built from. Raises StorageError where a family is not a plain known name, or numbers make no sense."""
    try:
        data = strict_json.parse(content)
        members = _members(data)
        parts = tuple(Part(one["family"], dict(one["params"]), one["weight"]) for one in members)
        numbers = data.get("temperature", 1.0), data.get("threshold", EVEN)
        described = Description(parts, spec_from(data["spec"]), *numbers)
        _check_spec(described.spec)
        _check_numbers(described)
    except Exception as error:  # whatever a stranger's document makes of the lines above
        raise StorageError(
            f"Bundle {folder}: {MODEL} cannot be read ({error!r:.200}). Export the model again."
        ) from None
    for part in parts:
        _check_family(part.family, folder)
    return described


def _members(data: dict[str, Any]) -> list[dict[str, Any]]:
    """One form or the other, not both; counted before anything is made of them."""
    if "members" not in data:
        return [{**data, "weight": 1.0}]
    members: list[dict[str, Any]] = data["members"]
    if not isinstance(members, list) or not 2 <= len(members) <= MOST_MEMBERS or "family" in data:
        raise ValueError(f"it must have a family, or else 2 to {MOST_MEMBERS} members")
    return members


def _check_spec(spec: Spec) -> None:
    """What a family is told must be what the fields of a Spec say: every family reads it without a look."""
    fields = (*spec.inputs, *spec.outputs)
    if not spec.inputs or not spec.outputs:
        raise ValueError("a model has inputs and outputs")
    words = (spec.loss, spec.resource, *(word for one in fields for word in (one.name, one.kind, one.dtype)))
    if not all(isinstance(word, str) for word in words):
        raise TypeError("names and kinds must be text")
    sizes = (size for one in fields for size in (*one.shape, *one.cardinalities, one.cardinality or 0))
    numbers = (spec.rows, spec.classes, spec.max_resource, *spec.class_rows, *sizes)
    if not all(type(number) is int and 0 <= number < _LARGEST_SIZE for number in numbers):
        raise ValueError("sizes and counts must be whole numbers")


def _check_numbers(described: Description) -> None:
    numbers = [described.temperature, described.threshold, *(part.weight for part in described.parts)]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        raise TypeError("temperature, threshold and weights must be numbers")
    if not COLDEST <= described.temperature <= HOTTEST:
        raise ValueError(f"the temperature must lie in {COLDEST}..{HOTTEST}")
    if not 0 < described.threshold < 1 or (described.threshold != EVEN and described.spec.classes != 2):
        raise ValueError("the threshold must lie between 0 and 1, and be 0.5 but for two classes")
    weights = [part.weight for part in described.parts]
    if not all(0 < weight <= 1 for weight in weights) or not math.isclose(sum(weights), 1.0, rel_tol=1e-6):
        raise ValueError("weights must be positive and add up to 1")


def _check_family(family: object, folder: Path) -> None:
    if not isinstance(family, str) or not _FAMILY.fullmatch(family) or family not in catalog.families():
        is_a_name = isinstance(family, str) and _FAMILY.fullmatch(family)
        raise (UnknownFamily if is_a_name else StorageError)(
            f"Bundle {folder} needs the family {family!r}. Known: {', '.join(catalog.families())}.",
            hint="Is it one of your own? Then add --families-from FOLDER.",
        )
