"""Malicious bundles by what is wrong with them: the refused, the refused among versions, and what is never opened."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

from attacks import (
    HALF,
    MARKER,
    Attack,
    Build,
    Reduce,
    content,
    edit,
    encoder,
    first,
    instead,
    listed,
    members,
    overlap,
    params,
    renamed,
    schema,
    sign,
    spec,
    temperature,
    tensors,
    threshold,
    torch_saved,
    twice,
    zipped,
)

from automl.bundle.format import EXAMPLE, LATEST, MANIFEST, MODEL, PT2, SCHEMA, WEIGHTS


def own_family(folder: Path) -> None:
    """A family in the bundle itself, which the description asks for."""
    for package in ("lightning_modules", "search_spaces"):
        (folder.parent / package).mkdir()
        (folder.parent / package / "evil.py").write_text(f"from pathlib import Path\nPath({MARKER!r}).touch()\n")
    edit(MODEL, lambda document: {**document, "family": "evil"})(folder)


def deep(document: dict[str, Any]) -> str:
    return json.dumps(document)[:-1] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}"


def many_files(body: dict[str, Any]) -> None:
    body["files"] |= {f"f{index}": {"bytes": 0, "sha256": "0" * 64} for index in range(5000)}


def code_inside(folder: Path) -> None:
    """The code of an export that needs no automl, in a bundle that needs none of it."""
    (folder / "encoding").mkdir()
    (folder / "encoding" / "__init__.py").write_text(f"open({MARKER!r}, 'w')")
    sign(folder)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


def latest(name: str) -> Attack:
    """Make the folder's parent a list of versions whose LATEST names this."""
    return lambda folder: (folder.parent / LATEST).write_text(name) and None


def linked_version(folder: Path) -> None:
    (folder.parent / "v-0123456789ab").symlink_to(folder)
    latest("v-0123456789ab")(folder)


REFUSED: dict[str, Attack] = {
    "a pickle as weights (reduce)": content(WEIGHTS, lambda: pickle.dumps(Reduce())),
    "a pickle as weights (build)": content(WEIGHTS, lambda: pickle.dumps(Build())),
    "a pickle as weights, old protocol": content(WEIGHTS, lambda: pickle.dumps(Reduce(), protocol=0)),
    "a torch file as weights": content(WEIGHTS, lambda: torch_saved({"weight": Reduce()})),
    "a pickle as model description": content(MODEL, lambda: pickle.dumps(Reduce())),
    "a pickle as schema": content(SCHEMA, lambda: pickle.dumps(Build())),
    "a pickle as manifest": lambda folder: (folder / MANIFEST).write_bytes(pickle.dumps(Reduce())) and None,
    "a pickle in the place of the .pt2, not listed": lambda folder: (
        (folder / PT2).write_bytes(pickle.dumps(Reduce())) and None
    ),
    "an archive as weights": content(WEIGHTS, lambda: zipped("../../outside", "/etc/outside", payload=b"x")),
    "an archive in an archive as weights": content(
        WEIGHTS, lambda: zipped("a.zip", payload=zipped("data.pkl", payload=pickle.dumps(Reduce())))
    ),
    "a bomb as weights": content(WEIGHTS, lambda: gzip.compress(bytes(1 << 26))),
    "a bomb as schema": content(SCHEMA, lambda: gzip.compress(bytes(1 << 26))),
    "no bytes as weights": content(WEIGHTS, lambda: b""),
    "a header without end": content(WEIGHTS, lambda: struct.pack("<Q", (1 << 63) - 1) + b"{}"),
    "a header larger than the file": content(WEIGHTS, lambda: struct.pack("<Q", 99_000_000) + b"{" * 100),
    "tensors that overlap": tensors(overlap),
    "a tensor beyond the file": tensors(lambda header: first(header, data_offsets=[0, 1 << 40])),
    "a tensor that begins after its end": tensors(lambda header: first(header, data_offsets=[8, 0])),
    "a shape beyond all numbers": tensors(lambda header: first(header, shape=[1 << 62, 1 << 62])),
    "a negative shape": tensors(lambda header: first(header, shape=[-1])),
    "another shape": tensors(lambda header: first(header, shape=[1, *next(iter(header.values()))["shape"]])),
    "another type": tensors(lambda header: first(header, dtype="I32")),
    "a type that is none": tensors(lambda header: first(header, dtype="F999")),
    "a tensor named twice": tensors(lambda header: twice(first(header, dtype="I32"))),
    "a header nested deeply": tensors(lambda header: "[" * 100_000),
    "a link out of the folder": instead(WEIGHTS, lambda path: path.symlink_to("/etc/passwd")),
    "a link to an endless file": instead(MODEL, lambda path: path.symlink_to("/dev/zero")),
    "a pipe that nobody fills": instead(WEIGHTS, os.mkfifo),
    "a pipe as manifest": instead(MANIFEST, os.mkfifo),
    "a folder as schema": instead(SCHEMA, lambda path: path.mkdir()),
    "a file of four terabytes": instead(WEIGHTS, sparse),
    "a name that leads out": listed(lambda body: body["files"].update({"../outside": body["files"][MODEL]})),
    "an absolute name": listed(lambda body: body["files"].update({"/etc/passwd": body["files"][MODEL]})),
    "code among the files": code_inside,
    "a name that leads out of the code's folder": listed(
        lambda body: body["files"].update({"encoding/../../outside.py": body["files"][MODEL]})
    ),
    "a name in a folder of its own": listed(lambda body: body["files"].update({"a/b.py": body["files"][MODEL]})),
    "five thousand files": listed(many_files),
    "a file listed with four terabytes": listed(lambda body: body["files"][WEIGHTS].update(bytes=1 << 42)),
    "a negative size": listed(lambda body: body["files"][WEIGHTS].update(bytes=-1)),
    "a size that is text": listed(lambda body: body["files"][WEIGHTS].update(bytes="9")),
    "a size beyond all numbers": listed(lambda body: body["files"][WEIGHTS].update(bytes=10**4000)),
    "a hash that is none": listed(lambda body: body["files"][WEIGHTS].update(sha256=None)),
    "files that are a list": listed(lambda body: body.update(files=[WEIGHTS])),
    "facts that are no text": listed(lambda body: body["facts"].update(task={"$": 1}, values={"test": "x"})),
    "facts with a field of its own": listed(lambda body: body["facts"].update(__class__="os.system")),
    "a version that is a list": listed(lambda body: body.update(format=[1])),
    "the family os.system": edit(MODEL, lambda document: {**document, "family": "os.system"}),
    "a family by path": edit(MODEL, lambda document: {**document, "family": "../../evil"}),
    "a family in the bundle": own_family,
    "a family that is a list": edit(MODEL, lambda document: {**document, "family": ["mlp"]}),
    "a layer for all memory": params(width=10**9),
    "layers without end": params(depth=10**9),
    "a million layers": params(depth=10**6),
    "a width beyond all numbers": params(width=10**4000),
    "a parameter of its own": params(__class__="os.system"),
    "an optimiser's schedule by path": params(schedule="os.system"),
    "a hundred members": members(*[{"weight": 0.01}] * 100),
    "a million members": members(*[1] * 16, members=[1] * 300_000),
    "no members": members(members=[]),
    "members that are a number": members(members=10**9),
    "members that are no objects": members(1, 2),
    "one member alone": members({"weight": 1.0}),
    "members beside a family": members(HALF, HALF, family="mlp", params={}),
    "weights that are NaN": members({"weight": float("nan")}, HALF),
    "weights beyond all numbers": members({"weight": 10**4000}, HALF),
    "a negative weight": members({"weight": 1.5}, {"weight": -0.5}),
    "weights that add up to two": members({"weight": 1.0}, {"weight": 1.0}),
    "a weight that is true": members({"weight": True}, {"weight": 0.0}),
    "a weight that is text": members({"weight": "0.5"}, HALF),
    "a member without a weight": members({}, HALF),
    "a member by path": members(HALF, {"family": "../../evil", **HALF}),
    "a member os.system": members(HALF, {"family": "os.system", **HALF}),
    "a member for all memory": members(HALF, {"params": {"width": 10**7, "depth": 2}, **HALF}),
    "a member of layers without end": members(HALF, {"params": {"width": 8, "depth": 10**9}, **HALF}),
    "sixteen members of a million layers": members(*[{"weight": 1 / 16, "params": {"width": 8, "depth": 10**6}}] * 16),
    "a member's tensors under a path": renamed("../1."),
    "a member's tensors in another's place": renamed("01."),
    "a member's tensors beyond the last": renamed("2."),
    "a member's tensors under no number": renamed("\u0661."),
    "a temperature of zero": temperature(0),
    "a negative temperature": temperature(-1.0),
    "a temperature of a billion": temperature(1e9),
    "a temperature that is NaN": temperature(float("nan")),
    "a temperature that is infinite": temperature(float("inf")),
    "a temperature that is text": temperature("1"),
    "a temperature that is true": temperature(True),
    "a temperature of four thousand digits": temperature(10**4000),
    "a threshold of zero": threshold(0),
    "a threshold of one": threshold(1.0),
    "a threshold that is NaN": threshold(float("nan")),
    "a threshold that is text": threshold("0.5"),
    "a threshold that is true": threshold(True),
    "a threshold between three classes": threshold(0.3),
    "a key twice": edit(MODEL, lambda document: json.dumps(document)[:-1] + ', "family": "mlp"}'),
    "a description nested deeply": edit(MODEL, deep),
    "a description that is a number": edit(MODEL, lambda document: "1"),
    "a description in UTF-16": content(MODEL, lambda: json.dumps({"family": "mlp"}).encode("utf-16")),
    "a spec without inputs": spec(inputs=[]),
    "a spec with another shape": spec(inputs=[{"name": "x", "kind": "table", "shape": [14]}]),
    "a spec for all memory": spec(inputs=[{"name": "x", "kind": "table", "shape": [10**9, 10**9]}]),
    "a spec with a million classes": spec(classes=10**6),
    "a schema nested deeply": edit(SCHEMA, deep),
    "a schema that is a list": edit(SCHEMA, lambda document: "[1]"),
    "a mean that is no number": encoder(mean=float("nan")),
    "a mean beyond all numbers": edit(
        SCHEMA, lambda document: json.dumps(document).replace('"mean": ', '"mean": 1e999', 1)
    ),
    "a mean of four thousand digits": encoder(mean=10**4000),
    "a mean that is text": encoder(mean="1"),
    "a mean that is true": encoder(mean=True),
    "a scale of zero": encoder(scale=0.0),
    "an encoder of another kind": encoder(kind="os.system"),
    "an encoder with a field of its own": encoder(run="os.system"),
    "an encoder without a name": encoder(name=None),
    "knots without heights": encoder(knots=[0.0, 1.0]),
    "knots that fall": encoder(knots=[1.0, 0.0], heights=[0.0, 1.0]),
    "knots nested deeply": encoder(knots=[[[[1.0]]]], heights=[1.0]),
    "a text of a billion components": encoder(kind="words", name="a", vocabulary=["a"], length=10**9),
    "pieces that are joined into none": encoder(
        kind="subwords", name="a", vocabulary=["a"], length=8, merges=[["a", "b"]]
    ),
    "no encoders": schema(encoders=[]),
    "encoders that are a number": schema(encoders=7),
    "labels that are no text": schema(labels=[{"a": 1}, None, 3]),
    "a label twice": schema(labels=["a", "a", "b"]),
    "fewer labels than classes": schema(labels=["a", "b"]),
    "a grid with a negative size": encoder(kind="grid", columns=["a"], shape=[-13], means=[0.0], scales=[1.0]),
    "a kind of its own": schema(kind="os.system"),
}


VERSIONS: dict[str, Attack] = {
    "LATEST leads out": latest("../../elsewhere"),
    "LATEST is absolute": latest("/etc"),
    "LATEST leads out by a link": linked_version,
    "LATEST is a pipe": lambda folder: os.mkfifo(folder.parent / LATEST),
    "LATEST is a pickle": lambda folder: (folder.parent / LATEST).write_bytes(pickle.dumps(Reduce())) and None,
    "LATEST is a link": lambda folder: (folder.parent / LATEST).symlink_to("/etc/passwd"),
}


NEVER_OPENED: dict[str, Attack] = {
    "a pickle as .pt2, listed": content(PT2, lambda: pickle.dumps(Reduce())),
    "a torch file as .pt2, listed": content(PT2, lambda: torch_saved(Build())),
    "an archive that leads out as .pt2, listed": content(PT2, lambda: zipped("../../outside", payload=b"x")),
    "a pickle as example, listed": content(EXAMPLE, lambda: pickle.dumps(Reduce())),
    "a script beside the files": lambda folder: (folder / "conftest.py").write_text(f"open({MARKER!r}, 'w')") and None,
}
