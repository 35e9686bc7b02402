"""How much memory is left: asked before something large is read, so that the answer is an error and not a killed process."""

from __future__ import annotations

from pathlib import Path

from automl.errors import DataError

_CGROUP = Path("/sys/fs/cgroup")


def require_memory(source: str, needed: int, hint: str) -> None:
    """Raise DataError where so many bytes are not free."""
    free = free_memory()
    if free is not None and needed > free:
        raise DataError(
            f"{source}: about {needed / 2**30:.1f} GB of memory are needed, but {free / 2**30:.1f} GB are free. {hint}"
        )


def free_memory() -> int | None:
    """Bytes that this process may still take, by the kernel's word and its container's; None where neither is known."""
    known = [found for found in (_available(), _in_container()) if found is not None]
    return min(known, default=None)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None


def _in_container() -> int | None:
    try:
        return int((_CGROUP / "memory.max").read_text()) - int((_CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # `max`: no limit
        return None
