"""Sources: files as people have them, read in bounded memory. Knows no task, no model and no encoding."""

from automl.sources.table import Table, cells_of, open_table

__all__ = ["Table", "cells_of", "open_table"]
