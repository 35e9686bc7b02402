"""From weights to the files of a bundle, in the search's staging folder. Publishes nothing: `automl/export` does, when all is there."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.bundle.description import Description, Part
from automl.bundle.format import EXAMPLE, MODEL, PT2, SCHEMA, WEIGHTS
from automl.bundle.load import build_module, network_outputs
from automl.data import load_part, load_schema
from automl.data.durable import sha256_of, write_file
from automl.errors import ConfigError, StorageError
from automl.messages import Artifact, Assignment, Member, Outcome
from automl.tasks.metrics import EVEN
from automl.worker.perform import Places

if TYPE_CHECKING:
    from torch import nn

EXAMPLE_ROWS = 32


def export(assignment: Assignment, places: Places) -> tuple[Outcome, ...]:
    """Write every file of the bundle but card and manifest into `<search>/staging/<assignment id>/`.

    The outcome has one artifact per file, under the file's name; what an earlier attempt left in the folder is replaced.
    """
    members = members_with_weights(assignment)
    modules = [rebuild(assignment, member, places) for member in members]
    network = combined(assignment, members, modules, assignment.temperature)
    parts = tuple(Part(member.family, member.params, member.weight) for member in members)
    threshold = assignment.thresholds.get("model", EVEN)
    inputs = np.array(load_part(places.data, assignment.data, "validation").inputs[:EXAMPLE_ROWS])
    files = {
        WEIGHTS: _safetensors(_joined([module.state_dict() for module in modules])),
        MODEL: Description(parts, assignment.spec, assignment.temperature, threshold).to_json(),
        SCHEMA: load_schema(places.data, assignment.data).to_json().encode(),
        EXAMPLE: _example(inputs, network_outputs(network, inputs)),
        PT2: _portable(network, inputs),
    }
    folder = places.search / "staging" / assignment.id
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    for name, content in files.items():
        write_file(folder / name, content)
    artifacts = {name: artifact(folder / name, places) for name in files}
    return (Outcome(assignment.id, 0, "complete", artifacts=artifacts),)


def members_with_weights(assignment: Assignment) -> tuple[Member, ...]:
    """Return the members, each of which must name its weights. Raises ConfigError."""
    if not assignment.members or not all(member.resume_from for member in assignment.members):
        raise ConfigError(
            f"{assignment.kind} {assignment.id} needs at least one member with weights, but got {assignment.members}."
        )
    return assignment.members


def combined(
    assignment: Assignment, members: Sequence[Member], modules: Sequence[Any], temperature: float
) -> nn.Module:
    """Return members' modules as the one plain network that is scored and exported."""
    from automl.bundle.combined import combine

    networks = [module.exported().eval() for module in modules]
    return combine(networks, [member.weight for member in members], temperature, assignment.spec.classes)


def _joined(states: list[dict[str, Any]]) -> dict[str, Any]:
    """One model keeps its names; of several, each name begins with its member's place."""
    if len(states) == 1:
        return states[0]
    return {f"{place}.{name}": tensor for place, state in enumerate(states) for name, tensor in state.items()}


def rebuild(assignment: Assignment, member: Member, places: Places) -> Any:
    """Return the member's module on the CPU in eval mode, its weights widened to float32 where they were trained in less."""
    path = places.search / str(member.resume_from)
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise StorageError(
            f"Weights cannot be read: {path}: {error.strerror}. Resume the search to train them again."
        ) from None
    return build_module(member.family, member.params, assignment.spec, _widened(weights), str(path))


def artifact(path: Path, places: Places) -> Artifact:
    """Describe a file below the search's folder."""
    return Artifact(path.relative_to(places.search).as_posix(), sha256_of(path), path.stat().st_size)


def _widened(weights: bytes) -> bytes:
    """A 16-bit float is exactly a float32, and a bundle predicts on any CPU."""
    import torch
    from safetensors.torch import load

    short = (torch.bfloat16, torch.float16)
    state = load(weights)
    if not any(tensor.dtype in short for tensor in state.values()):
        return weights
    return _safetensors({name: tensor.float() if tensor.dtype in short else tensor for name, tensor in state.items()})


def _safetensors(state: dict[str, Any]) -> bytes:
    from safetensors.torch import save

    return save(
        {name: tensor.clone().contiguous() for name, tensor in state.items()}
    )  # a clone: tied weights are refused


def _example(inputs: np.ndarray, outputs: np.ndarray) -> bytes:
    from safetensors.numpy import save

    return save({"inputs": inputs, "outputs": outputs})


def _portable(network: nn.Module, inputs: np.ndarray) -> bytes:
    """torch.export with a dynamic batch; the example needs two rows, since one would fix the size."""
    import torch

    example = torch.from_numpy(np.resize(inputs, (max(2, len(inputs)), *inputs.shape[1:])))
    program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()
