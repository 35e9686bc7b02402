"""One writer per search: a kernel lock that dies with its holder, so it is never stale."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType

from automl.errors import SearchHeld, StorageError

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs", "lustre", "afs"}


class SearchLock:
    """Holds `<folder>/lock` for as long as it is open. The file's text only says who; the kernel decides."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise SearchHeld with the holder's pid."""
        refuse_network_mount(self.path.parent)
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"cannot open {self.path}: {error.strerror}.") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(fd)
            os.close(fd)
            raise SearchHeld(
                f"search '{self.path.parent.name}' is held by {holder}.",
                hint="Wait for it, stop it, or choose another --name.",
            ) from None
        except OSError as error:
            os.close(fd)
            raise StorageError(
                f"cannot lock {self.path}: {error.strerror}. Put AUTOML_HOME on a local disk."
            ) from error
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(who).encode(), 0)
        self._fd = fd

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would race with the next holder."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> SearchLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def refuse_network_mount(folder: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Raise StorageError where `folder` lies on a network mount: SQLite and flock are not safe there."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return
    real = str(folder.resolve())
    best, kind = "", ""
    for line in lines:
        fields = line.split(" ")
        place = fields[1].encode().decode("unicode_escape")
        inside = real == place or real.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(best):
            best, kind = place, fields[2]
    if kind in _NETWORK:
        raise StorageError(
            f"{folder} is on {kind}, where locks and SQLite are not safe.",
            hint="Set AUTOML_HOME to a folder on a local disk.",
        )


def _read_holder(fd: int) -> str:
    try:
        who = json.loads(os.pread(fd, 1000, 0))
        return f"pid {who['pid']} on host {who['host']} since {who['since']}"
    except (ValueError, KeyError):
        return "another process"
