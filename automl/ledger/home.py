"""Where our own state lies: `AUTOML_HOME`, or `.automl` in the working folder. Folders are for their owner only."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automl.config import check_name, state_folder
from automl.errors import ConfigError, StorageError, did_you_mean

if TYPE_CHECKING:
    from automl.ledger.attempt import Attempt


@dataclass(frozen=True, slots=True)
class SearchFolder:
    """One search's files."""

    root: Path

    @property
    def name(self) -> str:
        """The search's name."""
        return self.root.name

    @property
    def ledger(self) -> Path:
        """The truth."""
        return self.root / "ledger.db"

    @property
    def results(self) -> Path:
        """What workers finished and the ledger has not yet."""
        return self.root / "results"

    @property
    def logs(self) -> Path:
        """What workers printed, and tracebacks."""
        return self.root / "logs"

    @property
    def where_workers_spoke(self) -> str:
        """A sentence that says where to look when something failed; empty where workers left no word, only empty files."""
        logs = (path for name in ("*.txt", "worker-*.log", "server.log") for path in self.logs.glob(name))
        return f"What workers said is in {self.logs}." if any(path.stat().st_size for path in logs) else ""

    @property
    def optuna(self) -> Path:
        """The view for Optuna's own tools."""
        return self.root / "optuna.db"

    @property
    def champion(self) -> Path:
        """A copy of the registered champion's bundle, scored on the same rows as the winner."""
        return self.root / "champion"

    def discard(self, attempt: Attempt) -> None:
        """Delete the files that an attempt left: it is no longer among its family's best."""
        for artifact in attempt.outcome.artifacts.values() if attempt.outcome is not None else ():
            (self.root / artifact.path).unlink(missing_ok=True)

    def create(self) -> None:
        """Make the folders that are missing. Raises StorageError where that is not allowed."""
        for folder in (self.root, self.results, self.logs, self.root / "artifacts", self.root / "staging"):
            _make(folder)


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of all searches and of the prepared data they share."""

    root: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Home:
        """Return `AUTOML_HOME`, or `.automl` in the working folder."""
        return cls(state_folder(environ))

    @property
    def data(self) -> Path:
        """Prepared arrays, a folder per content and split."""
        return self.root / "data"

    @property
    def models(self) -> Path:
        """Bundles fetched from a registry, a folder per digest."""
        return self.root / "models"

    def search(self, name: str) -> SearchFolder:
        """Return a search's folder, which need not exist yet."""
        return SearchFolder(self.root / "searches" / check_name(name))

    def existing(self, name: str) -> SearchFolder:
        """Return a search's folder, or raise ConfigError with the nearest name."""
        folder = self.search(name)
        if not folder.ledger.exists():
            known = self.searches()
            listed = ", ".join(known) or "none yet"
            raise ConfigError(f"Unknown search '{name}'. Searches here: {listed}.{did_you_mean(name, known)}")
        return folder

    def searches(self) -> list[str]:
        """Return the names of all searches, sorted; a folder whose name no search can have is none."""
        names = (path.parent.name for path in self.root.glob("searches/*/ledger.db"))
        return sorted(name for name in names if _is_name(name))

    def create(self) -> None:
        """Make the home itself. Raises StorageError where that is not allowed."""
        _make(self.root)
        _make(self.data)

    def delete(self, folder: SearchFolder) -> None:
        """Remove a search's folder with everything in it."""
        try:
            shutil.rmtree(folder.root)
        except OSError as error:
            raise StorageError(f"cannot delete {folder.root}: {error.strerror}.") from error


def require_writable(folder: Path) -> None:
    """Raise StorageError where a folder that is needed only later could not be made or written: better now than then."""
    nearest = folder.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    if not nearest.is_dir():
        raise _no_folder(nearest)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StorageError(f"cannot write in {nearest}, where {folder} belongs.", hint="Grant the permission.")


def _is_name(name: str) -> bool:
    try:
        return bool(check_name(name))
    except ConfigError:
        return False


def _no_folder(path: Path) -> StorageError:
    return StorageError(
        f"{path} is a file, but must be a folder.", hint="Move it, or set AUTOML_HOME to another folder."
    )


def _make(folder: Path) -> None:
    from automl.data.durable import make_folder  # the package imports numpy: too slow for a shell that completes a name

    try:
        if folder.exists() and not folder.is_dir():
            raise FileExistsError
        make_folder(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except (FileExistsError, NotADirectoryError) as error:
        raise _no_folder(next(path for path in (folder, *folder.parents) if path.exists())) from error
    except OSError as error:
        raise StorageError(
            f"cannot write in {folder}: {error.strerror}.",
            hint="Grant the permission, or set AUTOML_HOME to another folder.",
        ) from error
