"""How much memory is left: asked before something large is read, so that it goes to the disk, or is refused, and nothing is killed."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

from automl.config import memory_limit
from automl.errors import DataError
from automl.sources.packed import unpacked_size

_FACTORS = {".parquet": 50, ".pq": 50, ".feather": 20, ".arrow": 20, ".ipc": 20}
_FACTOR = 20
"""Bytes of memory per byte of a text table, at the least: 21 to 39 were measured from reading to the encoded arrays (22 MB of
numbers, 17 MB of words, 12 MB of digits; Parquet of the same numbers 55; 2-core test machine, peak RSS, f987a03)."""
_CGROUP = Path("/sys/fs/cgroup")


def require_memory(source: str, needed: int, hint: str) -> None:
    """Raise DataError where so many bytes are not free."""
    if not fits(needed):
        left = _spelled(memory_left())
        raise DataError(f"{source}: about {_spelled(needed)} of memory are needed, but {left} are available. {hint}")


def require_memory_for(table: Path) -> None:
    """Raise DataError, with the memory that is needed, for a table that is too large to be held."""
    size, factor = _size(table)
    require_memory(
        f"{table}, {_spelled(size)}", size * factor, "Take a sample of its rows, or a machine with more memory."
    )


def fits(size: int) -> bool:
    """Whether so many bytes are free."""
    return size <= memory_left()


def table_fits(table: Path) -> bool:
    """Whether a table can be held from reading to the encoded arrays, as far as the size of its file says."""
    size, factor = _size(table)
    return fits(size * factor)


def _size(table: Path) -> tuple[int, int]:
    """Bytes of a table unpacked, as far as they might fit, and how many of memory each takes."""
    factor = _FACTORS.get(table.suffix.lower(), _FACTOR)
    return unpacked_size(table, memory_left() // factor), factor


def memory_left() -> int:
    """Bytes that this process may still take: what the system has available, within the limits of process, container and person."""
    return max(0, min(_of_system(), _of_process(), _of_container(), _of_person()))


def _of_system() -> int:
    """`MemAvailable` counts what the page cache would give back; where it is not told, all physical memory stands for it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_process() -> int:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return 1 << 62
    with contextlib.suppress(OSError, ValueError, IndexError):
        return limit - int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return limit


def _of_container() -> int:
    with contextlib.suppress(OSError, ValueError):  # "max" is no number: no limit
        return int((_CGROUP / "memory.max").read_text()) - int((_CGROUP / "memory.current").read_text())
    return 1 << 62


def _of_person() -> int:
    """What `AUTOML_MEMORY` leaves beside what this process holds; what is mapped from files is not counted."""
    limit = memory_limit()
    if limit is None:
        return 1 << 62
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return limit - (int(line.split()[1]) << 10)
    return limit


def _spelled(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count / 2**20:.0f} MB"
