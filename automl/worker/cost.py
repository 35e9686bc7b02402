"""What a piece of work cost its worker. Imports no torch, and asks it only where it is there."""

from __future__ import annotations

import resource
import sys
import time


class Cost:
    """Seconds and peak memory from its construction on."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        if _uses_cuda():
            sys.modules["torch"].cuda.reset_peak_memory_stats()

    def read(self) -> dict[str, float]:
        """Peak memory is the GPU's where there is one, else the process's high-water mark."""
        if _uses_cuda():
            peak = sys.modules["torch"].cuda.max_memory_allocated() / 2**20
        else:
            unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, KiB on Linux
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
        return {"seconds": time.monotonic() - self._began, "peak_memory_mb": peak}


def _uses_cuda() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and torch.cuda.is_available()
