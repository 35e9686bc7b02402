"""What a bundle is on disk, and whether this folder is one. Reads and checks files; builds no model, imports no torch.

```
<bundle>/weights.safetensors   state of the family's module; of an ensemble each name begins with its member's place
         model.json            family, parameters, spec, temperature: what the model is built from, see `description.py`
         schema.json           fitted preprocessing
         example.safetensors   up to 32 encoded rows and the outputs they gave when exported
         model.pt2             torch.export of the plain module, for programs without us; unpickles, so `load_model` never opens it
         MODEL_CARD.md         for people
         manifest.json         format version, facts, and name, size and SHA-256 of each file above
```

The manifest carries a digest of itself and has one spelling only, so a changed byte anywhere is found. That shows a bundle is
unchanged since it was written; it is not a signature.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from io import BufferedReader
from pathlib import Path
from typing import Any

from automl.data import strict_json
from automl.errors import StorageError

FORMAT = 1
MANIFEST = "manifest.json"
LATEST = "LATEST"
WEIGHTS, MODEL, SCHEMA, EXAMPLE, PT2, CARD = (
    "weights.safetensors",
    "model.json",
    "schema.json",
    "example.safetensors",
    "model.pt2",
    "MODEL_CARD.md",
)
STAGED = (WEIGHTS, MODEL, SCHEMA, EXAMPLE, PT2)
"""What a worker writes; the coordinator adds card and manifest."""
ENCODING = "encoding"
"""Folder of the fitted preprocessing's code beside a model for programs without us; a bundle has no code and no folder."""
_LARGEST_MANIFEST = 1 << 20
_LARGEST = {MODEL: 1 << 20, SCHEMA: 1 << 25, CARD: 1 << 22}
_LARGEST_OTHER = 1 << 32
"""Bytes of a member at most; a sparse file of a terabyte is refused before it is hashed."""
_MOST_FILES = 64
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CODE = re.compile(rf"{ENCODING}/[a-z_]{{1,40}}\.py")
_VERSION_FOLDER = re.compile(r"v-[0-9a-f]{12}")
LIBRARIES = ("automl-search", "torch", "pytorch-lightning", "numpy", "safetensors")


@dataclass(frozen=True, slots=True)
class Facts:
    """Where a model comes from and how good it was."""

    task: str
    family: str
    search: str
    slot: int
    seed: int
    metric: str
    direction: str
    values: dict[str, float]
    """The metric on `validation` and `test`, its interval and the baselines, as far as known."""
    data: str
    """Content hash of the rows it was trained on."""


@dataclass(frozen=True, slots=True)
class File:
    """One member as the manifest lists it."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known of a bundle before any of its files is parsed."""

    format: int
    facts: Facts
    libraries: dict[str, str]
    files: dict[str, File]
    digest: str
    """SHA-256 over the rest of the manifest: the bundle's identity."""


def make_manifest(folder: Path, facts: Facts, libraries: dict[str, str] | None = None) -> bytes:
    """Return the manifest of all files in `folder`, ready to be written beside them.

    `libraries` are the versions that the model was made with; None means those installed here.
    """
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }
    body = {
        "format": FORMAT,
        "facts": dataclasses.asdict(facts),
        "libraries": libraries or _libraries(),
        "files": files,
    }
    return _spell({**body, "digest": _digest(body)})


def resolve(path: Path) -> Path:
    """Return the bundle's folder: `path` itself, or the version that its LATEST file names."""
    latest = path / LATEST
    if (path / MANIFEST).exists() or not latest.exists():
        return path
    name = _read(latest, 100).decode("ascii", "replace").strip()
    if not _VERSION_FOLDER.fullmatch(name) or (path / name).is_symlink():
        raise _damaged(path, f"{LATEST} names {name!r}, which is no version folder")
    return path / name


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest after checking its spelling, digest, format and member names. Raises StorageError."""
    if not (folder / MANIFEST).exists():
        raise StorageError(
            f"{folder} is not a bundle: it has no {MANIFEST}.", hint="List models with `automl models list`."
        )
    content = _read(folder / MANIFEST, _LARGEST_MANIFEST)
    try:
        data: dict[str, Any] = strict_json.parse(content)
        if data["format"] != FORMAT:
            raise StorageError(
                f"{folder} has bundle format {data['format']!r:.40}, this version reads {FORMAT}. Update automl-search."
            )
        digest = data.pop("digest")
        if digest != _digest(data) or _spell({**data, "digest": digest}) != content:
            raise _damaged(folder, f"{MANIFEST} was changed")
        files = {
            name if _CODE.fullmatch(name) else check_member(name): _listed(name, File(**one))
            for name, one in data["files"].items()
        }
        if len(files) > _MOST_FILES:
            raise ValueError(f"more than {_MOST_FILES} files")
        facts, libraries = Facts(**data["facts"]), dict(data["libraries"])
        _check_facts(facts, libraries)
        return Manifest(FORMAT, facts, libraries, files, digest)
    except StorageError:
        raise
    except Exception as error:  # whatever a stranger's document makes of the lines above
        raise _damaged(folder, f"{MANIFEST} cannot be read ({type(error).__name__})") from None


def check_bundle(folder: Path) -> Manifest:
    """Return the manifest after checking that every listed file is there with its size and hash. Raises StorageError."""
    manifest = read_manifest(folder)
    missing = sorted({WEIGHTS, MODEL, SCHEMA} - manifest.files.keys())
    if missing:
        raise _damaged(folder, f"{', '.join(missing)} missing from the manifest")
    code = sorted(name for name in manifest.files if _CODE.fullmatch(name))
    if code:
        raise _damaged(folder, f"{code[0]} is code, which no bundle holds")
    for name, listed in manifest.files.items():
        with _opened(folder / name, listed.bytes) as file:
            _compare(folder, name, listed, os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256"))
    return manifest


def read_member(folder: Path, manifest: Manifest, name: str) -> bytes:
    """Return a listed file's content, its size checked before and its hash after reading. Raises StorageError."""
    if name not in manifest.files:
        raise _damaged(folder, f"{name} is not in the manifest")
    listed = manifest.files[name]
    content = _read(folder / check_member(name), listed.bytes)
    _compare(folder, name, listed, len(content), hashlib.sha256(content))
    return content


def check_member(name: str) -> str:
    """Return a file name that cannot leave the bundle's folder, or raise StorageError."""
    if not isinstance(name, str) or not _MEMBER.fullmatch(name) or ".." in name or name.endswith("."):
        raise StorageError(f"A bundle's file has an unsafe name: {name!r}. Do not use this bundle.")
    return name


def _listed(name: str, file: File) -> File:
    """Return what the manifest says of a member, its types and limits checked."""
    if type(file.bytes) is not int or not 0 <= file.bytes <= _LARGEST.get(name, _LARGEST_OTHER):
        raise ValueError(f"{name} has an impossible size")
    if not isinstance(file.sha256, str) or not _SHA256.fullmatch(file.sha256):
        raise ValueError(f"{name} has no SHA-256")
    return file


def _check_facts(facts: Facts, libraries: dict[str, str]) -> None:
    words = (facts.task, facts.family, facts.search, facts.metric, facts.direction, facts.data, *libraries.values())
    if not all(isinstance(word, str) for word in (*words, *facts.values)):
        raise TypeError("names must be text")
    if not all(type(number) is int for number in (facts.slot, facts.seed)):
        raise TypeError("slot and seed must be integers")
    if not all(type(value) in (int, float) for value in facts.values.values()):
        raise TypeError("values must be numbers")


def _compare(folder: Path, name: str, listed: File, size: int, digest: hashlib._Hash) -> None:
    if size != listed.bytes or digest.hexdigest() != listed.sha256:
        raise _damaged(folder, f"{name} was changed")


def _read(path: Path, limit: int) -> bytes:
    with _opened(path, limit) as file:
        return file.read()


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[BufferedReader]:
    """Open a regular file of at most `limit` bytes; links, pipes and larger files are refused unread."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > limit:
                raise _damaged(path.parent, f"{path.name} is not a file of at most {limit} bytes")
            yield file
    except OSError as error:
        raise _damaged(path.parent, f"{path.name} cannot be read ({error.strerror})") from None


def _spell(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(_spell(body)).hexdigest()


def _libraries() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree that is not installed
            continue
    return found


def _damaged(folder: Path, what: str) -> StorageError:
    return StorageError(f"Bundle {folder} is damaged: {what}.", hint="Use another version, or export the model again.")
