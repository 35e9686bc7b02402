"""From a bundle to a model that predicts: safetensors and JSON through our own families. Never a pickle, never the `.pt2`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl import catalog
from automl.bundle.description import Description, parse_model
from automl.bundle.format import MODEL, SCHEMA, WEIGHTS, Manifest, check_bundle, read_member, resolve
from automl.data import Schema
from automl.encoding import Raw
from automl.errors import DataError, StorageError
from automl.messages import Spec
from automl.tasks.metrics import EVEN, decide

if TYPE_CHECKING:
    from torch import nn

_BATCH = 1024
_MOST_CODES = 1 << 19
"""Of a slice of texts: a network makes a vector of each word."""
_MOST_STEPS = 1 << 17
"""Of a slice of series: kernels make 84 numbers of each step."""


@dataclass(frozen=True)
class Model:
    """A loaded model: raw rows in, predictions out. Runs on the CPU.

    Raw rows are a mapping from a column's name to its cells, such as a frame, or an array (rows, columns) or (rows, *shape). Of long
    series, rows that belong together give one prediction: of each id, in order of appearance. Rows that are not the model's, such as a
    frame without one of its columns, raise DataError.
    """

    manifest: Manifest
    schema: Schema
    spec: Spec
    network: nn.Module
    """The plain module in eval mode: encoded inputs -> logits or standardised numbers."""
    threshold: float = EVEN
    """Of two classes the second is predicted where its probability is above it."""

    def __repr__(self) -> str:
        """One line, since notebooks show it: the network and the schema of a wide table would fill pages."""
        facts = self.manifest.facts
        return (
            f"<Model of task {facts.task!r}: {facts.family}, {len(self.schema.columns)} columns -> {self.schema.target!r}, "
            f"from search {facts.search!r}, bundle {self.manifest.digest[:12]}>"
        )

    def predict_proba(self, features: Raw) -> np.ndarray:
        """Raw rows -> (rows, classes) probabilities in the order of `schema.labels`."""
        if not self.schema.labels:
            raise TypeError(
                f"Model of task '{self.schema.task}' predicts numbers and has no probabilities; use predict()."
            )
        _require_columns(self.schema, features)
        return self.schema.decode(self.outputs(self.schema.encode(features)))

    def predict(self, features: Raw) -> np.ndarray:
        """Raw rows -> (rows,) labels as text, or numbers in the target's own units; forecasts are (series, horizon)."""
        if not self.schema.labels:
            _require_columns(self.schema, features)
            _, rows = self.schema.gathered(features)
            return self.schema.decode(self.outputs(self.schema.encode(rows)), self.schema.units(rows))
        return self.decide(self.predict_proba(features))

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Probabilities (rows, classes) -> (rows,) labels as text: of two by the threshold, of more the most probable."""
        return np.array(self.schema.labels)[decide(probabilities, self.threshold)]

    def outputs(self, encoded: np.ndarray) -> np.ndarray:
        """Encoded float32 (rows, *shape) -> float32 (rows, outputs): logits or standardised numbers. Raises StorageError."""
        try:
            return network_outputs(self.network, encoded)
        except Exception as error:  # whatever a network says whose parameters fit its weights and not its work
            raise StorageError(
                f"The model's network cannot be run: {_one_line(error)}.", hint="Export the model again."
            ) from error


def load_model(path: str | Path) -> Model:
    """Load the bundle at `path`, or the latest version below it.

    Every file's size and hash is checked before anything is parsed. Raises StorageError for a bundle that is damaged, hostile or
    of another version.
    """
    folder = resolve(Path(path))
    manifest = check_bundle(folder)
    schema = _parse_schema(read_member(folder, manifest, SCHEMA), folder)
    described = parse_model(read_member(folder, manifest, MODEL), folder)
    _check_fit(schema, described.spec, folder)
    network = build_network(described, read_member(folder, manifest, WEIGHTS), str(folder))
    return Model(manifest, schema, described.spec, network, described.threshold)


def _parse_schema(content: bytes, folder: Path) -> Schema:
    try:
        return Schema.from_json(content)
    except DataError as error:
        raise StorageError(f"Bundle {folder}: {SCHEMA}: {error}", hint="Export the model again.") from None


def _check_fit(schema: Schema, spec: Spec, folder: Path) -> None:
    """What goes into the network and what comes out of it must be what the schema encodes and decodes."""
    codes = schema.cardinalities if any(schema.cardinalities) else ()
    given = (spec.input.shape, spec.input.cardinality, spec.input.cardinalities) if len(spec.inputs) == 1 else None
    steps = spec.output_size if given is not None and spec.is_forecast else 0
    if given != (schema.shape, schema.vocabulary, codes) or (spec.classes, steps) != (
        len(schema.labels),
        schema.horizon,
    ):
        raise StorageError(
            f"Bundle {folder}: {MODEL} and {SCHEMA} describe different inputs or classes.",
            hint="Export the model again.",
        )


def _require_columns(schema: Schema, features: Raw) -> None:
    """Raise DataError where a column of the model is missing or occurs twice."""
    if isinstance(features, np.ndarray):
        return
    header = list(features.keys())
    counts = Counter(header)
    if all(counts[column] == 1 for column in schema.columns):
        return
    from automl.data.incoming.columns import match_columns  # what reads files is loaded only to say what is wrong

    match_columns(
        "the rows", [name if isinstance(name, str) else f"({name})" for name in header], schema, lambda text: None
    )


def build_network(described: Description, weights: bytes, origin: str) -> nn.Module:
    """Return the plain module of one part or of several; every tensor must belong to one of them, see `build_module`."""
    from automl.bundle.combined import combine

    parts, spec = described.parts, described.spec
    states = _split(_read_state(weights, origin), len(parts), origin)
    modules = [
        _with_state(part.family, part.params, spec, state, origin) for part, state in zip(parts, states, strict=True)
    ]
    networks = [module.exported().eval() for module in modules]
    return combine(networks, [part.weight for part in parts], described.temperature, spec.classes)


def _split(state: dict[str, Any], parts: int, origin: str) -> list[dict[str, Any]]:
    """Of several parts each tensor's name begins with its part's place, `0.` or `1.` and so on."""
    if parts == 1:
        return [state]
    states: dict[str, dict[str, Any]] = {str(place): {} for place in range(parts)}
    for name, tensor in state.items():
        place, _, own = name.partition(".")
        if place not in states:
            raise StorageError(
                f"{origin}: weights do not fit: {name[:100]!r} belongs to no member. Export the model again."
            )
        states[place][own] = tensor
    return list(states.values())


def build_module(family: str, params: dict[str, Any], spec: Spec, weights: bytes, origin: str) -> Any:
    """Return the family's module with `weights` (safetensors), each tensor checked for name, shape and type first.

    `origin` names the weights in errors. The caller's random state is left as it was.
    """
    return _with_state(family, params, spec, _read_state(weights, origin), origin)


def _read_state(weights: bytes, origin: str) -> dict[str, Any]:
    from safetensors.torch import load

    try:
        return load(weights)
    except Exception as error:  # whatever the library says to bytes that it cannot use
        raise StorageError(f"{origin}: weights cannot be read: {_one_line(error)}. Export the model again.") from error


def _with_state(family: str, params: dict[str, Any], spec: Spec, state: dict[str, Any], origin: str) -> Any:
    import torch

    from automl.bundle.bounded import bounded_by

    try:
        with torch.random.fork_rng(devices=[]), bounded_by(state, params):
            module = catalog.predictor(family, spec, params)
    except Exception as error:  # whatever a family says to parameters that it cannot use
        raise StorageError(
            f"{origin}: family '{family}' cannot be rebuilt: {_one_line(error)}. Export the model again."
        ) from error
    expected = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in module.state_dict().items()}
    found = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in state.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise StorageError(
                f"{origin}: weights do not fit family '{family}': {name} should be {expected.get(name, 'absent')}, "
                f"but is {found.get(name, 'absent')}. Export the model again."
            )
    module.load_state_dict(state)
    return module.eval()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def network_outputs(network: nn.Module, encoded: np.ndarray) -> np.ndarray:
    """Run `network` over encoded float32 (rows, *shape) in slices; returns float32 (rows, outputs)."""
    import torch

    with torch.inference_mode():
        most = {2: _MOST_CODES // encoded.shape[1], 3: _MOST_STEPS // encoded.shape[-1]}  # texts and tables, series
        size = max(1, min(_BATCH, most.get(encoded.ndim, _BATCH)))
        slices = (np.array(encoded[start : start + size]) for start in range(0, len(encoded), size))
        return np.concatenate([network(torch.from_numpy(rows)).numpy() for rows in slices])
