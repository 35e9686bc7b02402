"""A task from a folder of text files: each sub-folder is a class, each file one row with a single column."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automl.sources import texts
from automl.sources.folders import Folder, Unreadable, check_unreadable, file_name, lost
from automl.sources.memory import require_memory
from automl.tasks.own.choices import Choices
from automl.tasks.own.classes import TARGET, Labelled, labelled, require_classes
from automl.tasks.own.given import given_folder
from automl.tasks.own.names import safe_name
from automl.tasks.task import Column, Rows, Task

COLUMN = "text"
_BYTES = 8
"""Per byte of a file, at the worst moment: as text, and as its words, most of which are short."""


def text_task(folder: Folder, choices: Choices) -> Task:
    """Return the task of telling the texts of a folder's sub-folders apart.

    Files that cannot be read are left out and named in the rows' notes. Raises DataError where these are more than 5 %, where
    there are no two classes, and where the texts would not fit in memory.
    """
    found = labelled(folder, "texts", texts.SUFFIXES)
    test = None
    if choices.test is not None:
        test = given_folder(Path(choices.test), folder, "texts", texts.SUFFIXES, found.labels)
    files = (*found.files, *(() if test is None else test.files))
    require_memory(str(folder.path), _BYTES * _size(files), f"Give fewer than {len(files):,} texts.")

    def read() -> Rows:
        rows = read_rows(folder.path, found, choices.encoding)
        return rows if test is None else rows.with_test(read_rows(Path(str(choices.test)), test, choices.encoding))

    return Task(
        name=safe_name(choices.name or folder.path.resolve().name, "texts"),
        title=f"Which class of {folder.path.resolve().name} does a text belong to?",
        kind="classification",
        input_kind="text",
        target=TARGET,
        objectives=found.objectives,
        read=read,
        source=str(folder.path),
        columns=(Column(COLUMN, "text", "a file each"),),
        choices=choices.remembered(folder.path),
        why=found.why,
    )


def read_rows(folder: Path, found: Labelled, encoding: str) -> Rows:
    """Read all files. Raises DataError where more than 5 % cannot be read, or a class is left without one."""
    cells: list[str] = []
    labels: list[str] = []
    unreadable: list[str] = []
    for file, label in zip(found.files, found.labels, strict=True):
        text = texts.read_text(file, encoding)
        if isinstance(text, str) and not text.strip():
            text = Unreadable("empty")
        if isinstance(text, Unreadable):
            unreadable.append(f"{file_name(file, folder)} ({text.reason})")
        else:
            cells.append(text)
            labels.append(label)
    check_unreadable(folder, "texts", unreadable, len(found.files))
    require_classes(folder, "texts", found.labels, labels)
    notes = (f"{lost('texts', unreadable, len(found.files))}.",) if unreadable else ()
    features = {COLUMN: np.array(cells, dtype=object)}
    return Rows(features, (COLUMN,), np.array(labels, dtype=object), notes=(*found.notes, *notes))


def _size(files: tuple[Path, ...]) -> int:
    """Bytes in all; a file that is gone counts nothing here and is named when it is read."""
    return sum(file.stat().st_size for file in files if file.is_file())
