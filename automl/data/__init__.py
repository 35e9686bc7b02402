"""Data: read, audit, split, encode, write arrays that every worker maps. NumPy and pandas only, no torch."""

from automl.data.arrays import Arrays, load_part, load_schema
from automl.data.prepare import Prepared, Summary, prepare, spec_for
from automl.data.schema import Schema

__all__ = ["Arrays", "Prepared", "Schema", "Summary", "load_part", "load_schema", "prepare", "spec_for"]
