"""How whoever made a bundle could change it: each file, each field, each name; signed anew, so hashes stop nothing."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import load, save

from automl.bundle import format as bundle_format
from automl.bundle.format import MANIFEST, MODEL, SCHEMA, WEIGHTS, Facts, make_manifest

FACTS = Facts("wine", "mlp", "wine-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)
Attack = Callable[[Path], None]
MARKER = "ran"


class Reduce:
    """Runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path(MARKER),)


class Build:
    """Runs when its state is set."""

    def __getstate__(self) -> dict[str, str]:
        return {"marker": MARKER}

    def __setstate__(self, state: dict[str, str]) -> None:
        Path(state["marker"]).touch()


def sign(folder: Path) -> None:
    """Give the files a manifest that fits."""
    (folder / MANIFEST).unlink(missing_ok=True)
    (folder / MANIFEST).write_bytes(make_manifest(folder, FACTS))


def content(name: str, made: Callable[[], bytes]) -> Attack:
    """Replace one member by these bytes, signed."""

    def attack(folder: Path) -> None:
        (folder / name).write_bytes(made())
        sign(folder)

    return attack


def edit(name: str, change: Callable[[dict[str, Any]], Any]) -> Attack:
    """Change a JSON member, signed; `change` returns a document, or text to be written as it is."""

    def attack(folder: Path) -> None:
        document = json.loads((folder / name).read_text())
        changed = change(document)
        (folder / name).write_text(changed if isinstance(changed, str) else json.dumps(changed))
        sign(folder)

    return attack


def params(**changes: Any) -> Attack:
    return edit(MODEL, lambda document: {**document, "params": {**document["params"], **changes}})


def members(*ones: Any, **changes: Any) -> Attack:
    """Make an ensemble of it; each member brings the bundle's own weights under its own prefix, as far as there is one."""

    def attack(folder: Path) -> None:
        document = json.loads((folder / MODEL).read_text())
        own = {"family": document.pop("family"), "params": document.pop("params")}
        described = [{**own, **one} if isinstance(one, dict) else one for one in ones]
        (folder / MODEL).write_text(json.dumps({**document, "members": described, **changes}))
        weights = load((folder / WEIGHTS).read_bytes())
        joined = {f"{place}.{name}": tensor for place in range(len(ones)) for name, tensor in weights.items()}
        (folder / WEIGHTS).write_bytes(save(joined))
        sign(folder)

    return attack


def renamed(prefix: str) -> Attack:
    """An ensemble of two whose second member's tensors have names of their own."""

    def attack(folder: Path) -> None:
        members({"weight": 0.5}, {"weight": 0.5})(folder)
        weights = load((folder / WEIGHTS).read_bytes())
        moved = {prefix + name[2:] if name.startswith("1.") else name: one for name, one in weights.items()}
        (folder / WEIGHTS).write_bytes(save(moved))
        sign(folder)

    return attack


def temperature(value: Any) -> Attack:
    return edit(MODEL, lambda document: {**document, "temperature": value})


def threshold(value: Any) -> Attack:
    return edit(MODEL, lambda document: {**document, "threshold": value})


HALF = {"weight": 0.5}


def spec(**changes: Any) -> Attack:
    return edit(MODEL, lambda document: {**document, "spec": {**document["spec"], **changes}})


def schema(**changes: Any) -> Attack:
    return edit(SCHEMA, lambda document: {**document, **changes})


def encoder(**changes: Any) -> Attack:
    """Change the first encoder; a change of kind replaces all its fields."""

    def change(document: dict[str, Any]) -> dict[str, Any]:
        first, *rest = document["encoders"]
        return {
            **document,
            "encoders": [changes if "kind" in changes and len(changes) > 1 else {**first, **changes}, *rest],
        }

    return edit(SCHEMA, change)


def listed(change: Callable[[dict[str, Any]], Any]) -> Attack:
    """Change the manifest itself and give it a digest that fits."""

    def attack(folder: Path) -> None:
        body = json.loads((folder / MANIFEST).read_text())
        body.pop("digest")
        change(body)
        text = bundle_format._spell({**body, "digest": bundle_format._digest(body)})
        (folder / MANIFEST).write_bytes(text)

    return attack


def tensors(change: Callable[[dict[str, Any]], Any]) -> Attack:
    """Change the header of the weights, signed."""

    def attack(folder: Path) -> None:
        whole = (folder / WEIGHTS).read_bytes()
        size = struct.unpack("<Q", whole[:8])[0]
        header = json.loads(whole[8 : 8 + size])
        header.pop("__metadata__", None)
        changed = change(header)
        text = (changed if isinstance(changed, str) else json.dumps(changed)).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + size :])
        sign(folder)

    return attack


def first(header: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Change one tensor's entry."""
    name = next(iter(header))
    return {**header, name: {**header[name], **changes}}


def overlap(header: dict[str, Any]) -> dict[str, Any]:
    one, two = list(header)[:2]
    return {**header, two: {**header[two], "data_offsets": header[one]["data_offsets"]}}


def twice(header: dict[str, Any]) -> str:
    name = next(iter(header))
    return json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"


def zipped(*names: str, payload: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, payload)
    return buffer.getvalue()


def torch_saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def instead(name: str, make: Callable[[Path], None]) -> Attack:
    """Put something that is no file in a member's place; the manifest lists the file that was there."""

    def attack(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return attack
