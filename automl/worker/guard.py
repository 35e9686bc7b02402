"""A failure of a family's code is an outcome like any other; the machine's own trouble is not, and passes through."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from automl.data.durable import FULL
from automl.messages import Assignment, Outcome
from automl.worker.cost import Cost

_MACHINE = (*FULL, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)


def guard(
    work: Callable[[], tuple[Outcome, ...]], assignment: Assignment, members: Iterable[int], logs: Path
) -> tuple[Outcome, ...]:
    """Do some members' work; an exception becomes an outcome of each, its traceback a file in `logs`."""
    cost = Cost()
    try:
        return work()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _MACHINE:
            raise  # the machine's trouble is no verdict on a point: the slot must not pay for it
        _write_traceback(logs / f"{assignment.id}.txt", error)
        reason = _out_of_memory(error)
        return tuple(
            Outcome(
                assignment.id,
                index,
                "failed",
                reason or _one_line(error),
                constraints={"memory": 1.0} if reason else {},
                cost=cost.read(),
                recycle=bool(reason),
            )
            for index in members
        )


def _out_of_memory(error: Exception) -> str:
    """Name the memory that was exhausted, or return an empty string for any other error."""
    text = str(error)
    is_torch = type(error).__name__ == "OutOfMemoryError" or isinstance(error, RuntimeError)
    if is_torch and ("CUDA" in text or type(error).__name__ == "OutOfMemoryError") and "out of memory" in text.lower():
        return "CUDA out of memory"
    if isinstance(error, MemoryError) or (is_torch and "DefaultCPUAllocator: can't allocate memory" in text):
        return "out of memory"
    return ""


def _one_line(error: Exception) -> str:
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:300]}" if message else type(error).__name__


def _write_traceback(path: Path, error: Exception) -> None:
    with suppress(OSError):  # a full disk must not hide the failure itself
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)))
