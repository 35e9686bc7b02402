"""Import Lightning without `scipy.signal`, a third of its import: torchmetrics loads it only to restore a name that SciPy has dropped.

Imported by `_base.py` before Lightning is. Whoever imports `scipy.signal` afterwards gets the real one.
"""

import sys
from types import ModuleType

if not {"scipy.signal", "torchmetrics"} & sys.modules.keys():
    _stand_in = ModuleType("scipy.signal")
    setattr(_stand_in, "hamming", None)  # noqa: B010  # the name that torchmetrics looks for
    sys.modules["scipy.signal"] = _stand_in
    try:
        import pytorch_lightning  # noqa: F401
    finally:
        del sys.modules["scipy.signal"]
