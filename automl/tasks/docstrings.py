"""Sentences of documentation: which library does one come from? Read from the docstrings of packages that automl depends on.

Source files are parsed, never imported. Names of code, and of the libraries themselves, are masked: what is left is how people write
about arrays, tables, models and experiments. Equal versions of the packages give equal rows.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from automl.errors import DataError
from automl.tasks._packaged import package_folder
from automl.tasks.task import Column, Rows, Task

LIBRARIES = ("mlflow", "numpy", "optuna", "pandas", "sklearn", "sqlalchemy", "torch")
SENTENCES = 400
"""Of each library at most: 2,800 in all."""
MASK = "NAME"
_WORDS = (6, 60)
"""Fewest and most words of a sentence."""
_LARGEST = 40_000
"""Bytes of a source file that is parsed: generated ones are larger, and slow."""
_FROM_FILE = 20
"""Sentences of one file at most, so that no file speaks for its library."""
_OWN = {
    "mlflow", "numpy", "np", "optuna", "pandas", "pd", "sklearn", "scikit", "scikit-learn", "sqlalchemy", "torch", "pytorch", "scipy",
    "python", "databricks", "ndarray", "dataframe", "dataframes", "tensor", "tensors", "estimator", "estimators", "sql", "numpydoc",
}  # fmt: skip
"""Names of the libraries and of what each is about, in lower case."""
_CODE = re.compile(
    r"``?[^`]+``?|:[\w:+.]+:|\S*[_/\\=<>{}\[\]@#|]\S*|\S+\.\S+|\b\w*[a-z]\w*[A-Z]\w*\b|\b[A-Z]{2,}\w*\b|\S*\d\S*"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_HEADING = re.compile(r"[A-Z][A-Za-z ]*:\s*\n")
_SKIPPED = ("tests", "test", "testing", "_vendor", "externals", "third_party", "conftest")


def _read() -> Rows:
    found = {library: list(_sentences(library)) for library in LIBRARIES}
    shared = Counter(text for texts in found.values() for text in set(texts))
    texts = {library: [text for text in each if shared[text] == 1][:SENTENCES] for library, each in found.items()}
    for library, each in texts.items():
        if len(each) < SENTENCES // 2:
            raise DataError(
                f"docstrings: {library} has {len(each)} sentences only; its source files are not installed."
            )
    cells = np.array([text for each in texts.values() for text in each], dtype=object)
    target = np.array([library for library, each in texts.items() for _ in each], dtype=object)
    return Rows({"sentence": cells}, ("sentence",), target)


def _sentences(library: str) -> Iterator[str]:
    """Different sentences, a few of each file, the files in an order that has nothing to do with their names' first letters."""
    folder = package_folder(library)
    if folder is None:
        return
    seen: set[str] = set()
    for path in sorted(
        _sources(folder), key=lambda path: hashlib.sha256(path.relative_to(folder).as_posix().encode()).digest()
    ):
        if len(seen) >= SENTENCES + SENTENCES // 5:
            return
        fresh = [text for text in dict.fromkeys(_of_file(path)) if text not in seen][:_FROM_FILE]
        seen.update(fresh)
        yield from fresh


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if not any(part.removesuffix(".py").startswith(_SKIPPED) for part in parts) and path.stat().st_size < _LARGEST:
            yield path


def _of_file(path: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in others' code
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return
    waiting: list[ast.Module | ast.ClassDef | ast.FunctionDef] = [tree]
    while waiting:  # what is nested deeper, in branches and functions, is private
        node = waiting.pop(0)
        for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
            yield from _plain(paragraph)
        if not isinstance(node, ast.FunctionDef):
            waiting += [each for each in node.body if isinstance(each, ast.ClassDef | ast.FunctionDef)]


def _plain(paragraph: str) -> Iterator[str]:
    """Whole sentences of prose, masked; of lists, tables, examples and headings nothing."""
    if (
        paragraph.startswith((" ", ">>>", "..", "-", "*"))
        or "\n-" in paragraph
        or "::" in paragraph
        or _HEADING.match(paragraph)
    ):
        return
    for sentence in _SENTENCE.split(" ".join(paragraph.split())):
        if not sentence.endswith((".", "!", "?")) or not sentence[0].isalpha():
            continue
        words = _masked(sentence[:-1])
        if _WORDS[0] <= len(words) <= _WORDS[1] and words.count(MASK) <= len(words) / 3:
            yield " ".join(words)


def _masked(sentence: str) -> list[str]:
    """Words, with one mask in place of each run of names."""
    words = _CODE.sub(f" {MASK} ", sentence).split()
    words = [MASK if word.strip(".,;:!?()'\"’").lower().removesuffix("'s") in _OWN else word for word in words]
    return [word for before, word in itertools.pairwise(["", *words]) if not word == before == MASK]


TASK = Task(
    name="docstrings",
    title="Which library is a sentence of documentation from?",
    kind="classification",
    input_kind="text",
    target="library",
    objectives=(("accuracy", "maximize"), ("log_loss", "minimize"), ("balanced_accuracy", "maximize")),
    read=_read,
    source="docstrings of installed packages",
    columns=(Column("sentence", "text", "a sentence each"),),
)
