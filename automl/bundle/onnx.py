"""A network as ONNX, for runtimes without Python or torch. Needs the extra `[onnx]`; reads and writes no files."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.bundle.load import network_outputs
from automl.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from torch import nn

INPUT, OUTPUT = "rows", "outputs"
_NEEDED = ("onnx", "onnxscript", "onnxruntime")
_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
_BATCHES = (1, 4, 7)


def require_onnx() -> None:
    """Raise ConfigError unless the extra is installed."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f"--format onnx needs {', '.join(missing)}.", hint="pip install 'automl-search[onnx]'")


def to_onnx(network: nn.Module, inputs: np.ndarray) -> bytes:
    """Return an ONNX model of one input `rows` (batch, *shape) and one output; `inputs` are encoded rows of any number.

    The result was run by onnxruntime on those rows in batches of 1, 4 and 7. Raises StorageError where it gives other outputs.
    """
    require_onnx()
    rows = np.resize(inputs, (max(_BATCHES), *inputs.shape[1:]))
    content = _traced(network, rows)
    _compare(content, network, rows)
    return content


def _traced(network: nn.Module, rows: np.ndarray) -> bytes:
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it names every torchvision operator that is not there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.from_numpy(rows),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
            verbose=False,
        )
    assert program is not None  # with dynamo=True it never is
    model: Any = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces: paths of this machine are nobody's business
    content: bytes = model.SerializeToString()
    return content


def _compare(content: bytes, network: nn.Module, rows: np.ndarray) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    for size in _BATCHES:
        (outputs,) = session.run([OUTPUT], {INPUT: rows[:size]})
        if not np.allclose(outputs, network_outputs(network, rows[:size]), rtol=_RELATIVE, atol=_ABSOLUTE):
            raise StorageError(f"The ONNX form gives other outputs than the model in a batch of {size}.")
