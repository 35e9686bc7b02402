"""Lightning and what it makes of a family: the one file here that imports it, so that predicting needs torch alone.

Lightning is imported without `scipy.signal`, a third of its import: torchmetrics loads it only to restore a name that SciPy has
dropped. Whoever imports `scipy.signal` afterwards gets the real one.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType

from ._base import FamilyModule

if not {"scipy.signal", "torchmetrics"} & sys.modules.keys():
    _stand_in = ModuleType("scipy.signal")
    setattr(_stand_in, "hamming", None)  # noqa: B010  # the name that torchmetrics looks for
    sys.modules["scipy.signal"] = _stand_in
    try:
        import pytorch_lightning  # noqa: F401
    finally:
        del sys.modules["scipy.signal"]

import pytorch_lightning as pl


@functools.cache
def trainable(family: type[FamilyModule]) -> type[FamilyModule]:
    """Return the family's class with `pl.LightningModule` behind `FamilyModule`: all of Lightning's hooks, and what trains it."""
    return type(family.__name__, (family, pl.LightningModule), {"__module__": family.__module__})
