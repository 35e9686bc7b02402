"""A published bundle in another form, in a folder of its own. Copies what was checked; opens no `.pt2` and changes no bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.resources import files as resources
from pathlib import Path

from automl.bundle.format import (
    CARD,
    ENCODING,
    EXAMPLE,
    MANIFEST,
    MODEL,
    PT2,
    SCHEMA,
    WEIGHTS,
    Manifest,
    make_manifest,
    read_member,
    resolve,
)
from automl.bundle.load import Model, load_model
from automl.bundle.onnx import require_onnx, to_onnx
from automl.data.durable import (
    flush_folder,
    make_folder,
    move_into_place,
    new_folder_beside,
    storage_errors,
    write_file,
)
from automl.errors import ConfigError, StorageError, did_you_mean
from automl.export.readme import readme

ONNX = "model.onnx"
Files = dict[str, bytes]


def convert(bundle: Path, form: str, to: Path) -> Path:
    """Write the bundle at `bundle`, or the latest version below it, as `form` into the new folder `to`; returns `to`.

    `safetensors`: what `load_model` needs, without the `.pt2`. `pt2` and `onnx`: the network, its preprocessing as data, a script
    and a README for programs without us. Raises ConfigError for an unknown form, a missing extra or a folder that holds
    something, StorageError for a damaged bundle or a disk in the way.
    """
    if form not in FORMS:
        raise ConfigError(f"Unknown format '{form}'. Formats: {', '.join(FORMS)}.{did_you_mean(form, FORMS)}")
    if form == "onnx":
        require_onnx()
    _require_new(to)
    folder = resolve(bundle)
    model = load_model(folder)  # hashes alone do not show that it is a model
    files = FORMS[form](folder, model)
    with storage_errors("export to", to):
        _write(to, files, model.manifest)
    return to


def _safe(folder: Path, model: Model) -> Files:
    return _members(folder, model.manifest, WEIGHTS, MODEL, SCHEMA, EXAMPLE, CARD)


def _portable(folder: Path, model: Model) -> Files:
    if PT2 not in model.manifest.files:
        raise StorageError(f"Bundle {folder} has no {PT2}.", hint="Export the model again, or choose --format onnx.")
    return {**_members(folder, model.manifest, PT2, MODEL, SCHEMA, EXAMPLE, CARD), **_companions("pt2", model)}


def _onnx(folder: Path, model: Model) -> Files:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        inputs = load(read_member(folder, model.manifest, EXAMPLE))["inputs"]
    except (SafetensorError, KeyError, ValueError) as error:
        raise StorageError(f"Bundle {folder}: {EXAMPLE} cannot be read ({error}). Export the model again.") from None
    if inputs.dtype != "float32" or inputs.shape[1:] != model.schema.shape or not len(inputs):
        raise StorageError(f"Bundle {folder}: {EXAMPLE} holds no rows for this model. Export the model again.")
    onnx = {ONNX: to_onnx(model.network, inputs)}
    return {**onnx, **_members(folder, model.manifest, MODEL, SCHEMA, EXAMPLE, CARD), **_companions("onnx", model)}


FORMS: dict[str, Callable[[Path, Model], Files]] = {"safetensors": _safe, "pt2": _portable, "onnx": _onnx}


def _members(folder: Path, manifest: Manifest, *names: str) -> Files:
    return {name: read_member(folder, manifest, name) for name in names if name in manifest.files}


def _companions(form: str, model: Model) -> Files:
    """The script and the README of a form that is used without us."""
    text = readme(form, model.manifest.facts, model.schema, model.manifest.libraries, model.threshold)
    script = resources("automl.bundle").joinpath("standalone.py").read_bytes()
    encoding = {
        f"{ENCODING}/{file.name}": file.read_bytes()
        for file in resources("automl.encoding").iterdir()
        if file.name.endswith(".py")
    }
    return {"predict.py": script, **encoding, "README.txt": text.encode()}


def _require_new(to: Path) -> None:
    if to.is_symlink() or (to.exists() and not to.is_dir()) or (to.is_dir() and any(to.iterdir())):
        raise ConfigError(f"--to {to} is there already and not an empty folder. Name a new folder.")


def _write(to: Path, files: Files, manifest: Manifest) -> None:
    folder = new_folder_beside(to)
    try:
        for name, content in files.items():
            make_folder((folder / name).parent)
            write_file(folder / name, content)
        write_file(folder / MANIFEST, make_manifest(folder, manifest.facts, manifest.libraries))
        for written in {folder, *((folder / name).parent for name in files)}:
            flush_folder(written)
        if not move_into_place(folder, to):
            raise ConfigError(f"--to {to} was filled by someone else meanwhile. Name a new folder.")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
