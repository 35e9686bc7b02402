"""Which devices a search may use, and how workers share them. Reads `CUDA_VISIBLE_DEVICES`; imports no torch, makes no CUDA call."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from automl.errors import ConfigError

_MOST_CPU_WORKERS = 8
"""Beyond this, more threads each serve better than more workers: every worker holds its own optimiser and activations."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one worker runs."""

    device: str
    """`cpu`, or the id or UUID of one GPU."""
    threads: int
    """Threads for torch on the CPU side."""

    @property
    def environment(self) -> dict[str, str]:
        """What the worker sets before its first CUDA call."""
        return {"CUDA_VISIBLE_DEVICES": "" if self.device == "cpu" else self.device}


def seats_on(
    choice: str,
    workers: int | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    list_gpus: Callable[[], list[str]] | None = None,
    cores: int | None = None,
) -> tuple[Seat, ...]:
    """Return one seat per worker.

    `choice` is `auto`, `cpu` or ids such as `0,2`, which count within the pool: a `CUDA_VISIBLE_DEVICES` that is already
    set is never widened. One worker per GPU; on the CPU the cores are shared out.
    """
    cores = cores or len(os.sched_getaffinity(0))
    gpus = [] if choice == "cpu" else _pool(environ, list_gpus or _nvidia_gpus)
    if choice not in ("auto", "cpu"):
        gpus = [_pick(gpus, item.strip()) for item in choice.split(",")]
    devices = gpus or ["cpu"]
    default = len(gpus) or min(cores, _MOST_CPU_WORKERS)
    count = workers or default
    threads = max(1, cores // count)
    return tuple(Seat(devices[number % len(devices)], threads) for number in range(count))


def _pool(environ: Mapping[str, str], list_gpus: Callable[[], list[str]]) -> list[str]:
    preset = environ.get("CUDA_VISIBLE_DEVICES")
    if preset is None:
        return list_gpus()
    pool = []
    for item in preset.split(","):
        if not item.strip() or item.strip() == "-1":
            break  # CUDA ignores what follows an invalid id
        pool.append(item.strip())
    return pool


def _pick(pool: list[str], item: str) -> str:
    if item in pool and not item.isdigit():
        return item
    if not item.isdigit() or int(item) >= len(pool):
        raise ConfigError(
            f"--devices must be auto, cpu or numbers of visible GPUs, but got {item!r} with {len(pool)} GPU(s) visible."
        )
    return pool[int(item)]


def _nvidia_gpus() -> list[str]:
    """Ask the driver's own tool; MIG instances are listed by it as devices of their own."""
    try:
        listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return visible_ids(listing)


def visible_ids(listing: str) -> list[str]:
    """Read `nvidia-smi -L`: a GPU's UUID, or the UUIDs of its MIG instances in its place."""
    found: list[str] = []
    for line in listing.splitlines():
        if "(UUID: " not in line:
            continue
        uuid = line.rsplit("(UUID: ", 1)[1].rstrip(") \n")
        if uuid.startswith("MIG-") and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(uuid)
    return found
