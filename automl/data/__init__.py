"""Data: read, audit, split, encode, write arrays that every worker maps. NumPy only, no torch."""

from automl.data.arrays import Arrays, load_folds, load_part, load_raw_test, load_schema
from automl.data.incoming import Chunk, Tell, frame_rows, read_rows
from automl.data.prepare import Prepared, Summary, prepare, spec_for
from automl.data.schema import Schema

__all__ = [
    "Arrays",
    "Chunk",
    "Prepared",
    "Schema",
    "Summary",
    "Tell",
    "frame_rows",
    "load_folds",
    "load_part",
    "load_raw_test",
    "load_schema",
    "prepare",
    "read_rows",
    "spec_for",
]
