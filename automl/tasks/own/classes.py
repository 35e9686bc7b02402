"""Sub-folders as classes: which files belong to which, and what a person should know of the rest. Opens no file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from automl.errors import DataError
from automl.sources.folders import Folder, few, of_kind
from automl.tasks.own.target import MOST_CLASSES, OBJECTIVES

TARGET = "class"
"""What the sub-folders' names are called as a column."""
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "holdout"}


@dataclass(frozen=True)
class Labelled:
    """Files, each with its class."""

    files: tuple[Path, ...]
    labels: tuple[str, ...]
    """Name of each file's sub-folder."""
    notes: tuple[str, ...]
    """What lies there and was left out."""

    @property
    def objectives(self) -> tuple[tuple[str, str], ...]:
        """What is steered by and recorded, for two classes and for more."""
        return OBJECTIVES["binary" if len(set(self.labels)) == 2 else "classes"]

    @property
    def why(self) -> str:
        """Where the classes come from."""
        return f"{len(set(self.labels))} sub-folders"


def labelled(folder: Folder, what: str, suffixes: tuple[str, ...]) -> Labelled:
    """Return the files of that kind. Raises DataError, naming the class, where the sub-folders are not at least two filled ones."""
    _check_parts(folder)
    found = {name: of_kind(files, suffixes) for name, files in folder.inside.items()}
    kinds = ", ".join(suffixes)
    for name, each in found.items():
        if not each:
            raise DataError(
                f"{folder.path}: class folder '{name}' holds no {what} ({kinds}). Add some, or remove the folder."
            )
    if len(found) < 2:
        raise DataError(f"{folder.path}: {_too_few(folder)}")
    if len(found) > MOST_CLASSES:
        raise DataError(f"{folder.path}: {len(found)} sub-folders, but at most {MOST_CLASSES} classes can be learned.")
    files = tuple(file for each in found.values() for file in each)
    labels = tuple(name for name, each in found.items() for _ in each)
    return Labelled(files, labels, _left_out(folder, what, suffixes, len(files)))


def require_classes(folder: Path, what: str, before: tuple[str, ...], after: list[str]) -> None:
    """Raise DataError for a class of which no file could be read."""
    lost = sorted(set(before) - set(after))
    if lost:
        raise DataError(
            f"{folder}: class '{lost[0]}': none of its {what} can be read. Mend them, or remove the folder."
        )


def _check_parts(folder: Folder) -> None:
    parts = [name for name in folder.inside if name.lower() in _PARTS]
    if len(parts) > 1 and len(parts) == len(folder.inside):
        raise DataError(
            f"{folder.path}: holds parts ({', '.join(parts)}), not classes. Give one of them, such as "
            f"{folder.path / parts[-1]}: test rows are set apart by the search itself, or are those of --test FOLDER."
        )


def _too_few(folder: Folder) -> str:
    links = f" Linked folders are not entered ({few(list(folder.links))})." if folder.links else ""
    if not folder.inside:
        return f"no class folders. Each class needs a sub-folder of its own, named as the class.{links}"
    name, files = next(iter(folder.inside.items()))
    deeper = {file.relative_to(folder.path).parts[1] for file in files if len(file.relative_to(folder.path).parts) > 2}
    hint = f" If its sub-folders are the classes, give {folder.path / name}." if len(deeper) > 1 else ""
    return f"one class only ('{name}'); at least two sub-folders are needed.{hint}{links}"


def _left_out(folder: Folder, what: str, suffixes: tuple[str, ...], taken: int) -> tuple[str, ...]:
    everything = [file for files in folder.inside.values() for file in files]
    others = Counter(file.suffix.lower() or "no suffix" for file in everything if not of_kind([file], suffixes))
    beside = of_kind(folder.beside, suffixes)
    notes = []
    if beside:
        notes.append(f"{len(beside)} {what} beside the class folders belong to no class and were left out.")
    if others:
        kinds = few([f"{suffix} ({count})" for suffix, count in others.most_common()])
        notes.append(f"{len(everything) - taken} other files were left out: {kinds}.")
    if folder.links:
        notes.append(f"Linked folders are not entered: {few(list(folder.links))}.")
    return tuple(notes)
