"""Data: read, audit, split, encode, write arrays that every worker maps. NumPy only, no torch.

What reads files is imported when it is asked for: pyarrow starts a thread, and workers are forked from a process that has none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from automl.data.arrays import (
    KNOWN,
    TEST_INPUTS,
    Arrays,
    load_fold,
    load_folds,
    load_part,
    load_raw_test,
    load_schema,
    load_test_inputs,
)
from automl.data.schema import Schema

if TYPE_CHECKING:
    from automl.data.incoming import Chunk, Tell, frame_rows, frame_series, read_rows
    from automl.data.preparing import Prepared, Summary, prepare, spec_for

__all__ = [
    "KNOWN",
    "TEST_INPUTS",
    "Arrays",
    "Chunk",
    "Prepared",
    "Schema",
    "Summary",
    "Tell",
    "frame_rows",
    "frame_series",
    "load_fold",
    "load_folds",
    "load_part",
    "load_raw_test",
    "load_schema",
    "load_test_inputs",
    "prepare",
    "read_rows",
    "spec_for",
]

_HOMES = {
    **dict.fromkeys(("Chunk", "Tell", "frame_rows", "frame_series", "read_rows"), "incoming"),
    **dict.fromkeys(("Prepared", "Summary", "prepare", "spec_for"), "preparing"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"automl.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'automl.data' has no attribute {name!r}")
