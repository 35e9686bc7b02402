"""Dying with one's parent: the first thing that each process we start asks of the kernel. Linux; elsewhere the pipe's EOF must do."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask to be killed when `parent` (a pid) dies; exits at once if it already has.

    The kernel ties the signal to the thread of the parent that started us. A fork clears it, so each child calls this again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
