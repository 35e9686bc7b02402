"""Malicious bundles, each opened through every path that a user has: none runs code, each is refused in one line, fast and small.

A bundle is signed here as whoever made it could sign it, so hashes stop nothing: what is tested is what comes after them. The last
group is not refused, since nothing of it is ever opened.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import resource
import shutil
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from automl.bundle import format as bundle_format
from automl.bundle.format import EXAMPLE, LATEST, MANIFEST, MODEL, PT2, SCHEMA, WEIGHTS, Facts, make_manifest
from automl.bundle.load import load_model
from automl.cli.main import run
from automl.cli.models import export
from automl.errors import AutoMLError
from automl.tasks import load_task

FACTS = Facts("wine", "mlp", "wine-0", 0, 0, "accuracy", "maximize", {}, "0" * 64)
Attack = Callable[[Path], None]
MARKER = "ran"
SECONDS, MEGABYTES = 8.0, 300


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


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


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


def latest(name: str) -> Attack:
    """Make the folder's parent a list of versions whose LATEST names this."""
    return lambda folder: (folder.parent / LATEST).write_text(name) and None


def linked_version(folder: Path) -> None:
    (folder.parent / "v-0123456789ab").symlink_to(folder)
    latest("v-0123456789ab")(folder)


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


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three wines."""
    data = load_task("wine").read()
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    path.write_text(
        "\n".join([",".join(data.columns), *(",".join(map(str, row)) for row in data.array()[:3].tolist())])
    )
    return path


def _open(path: Path, rows: Path) -> dict[str, int]:
    """Open a bundle by every path a user has; returns each one's exit code."""
    codes = {"load_model": _code(lambda: load_model(path))}
    codes["predict"] = run(["predict", str(path), str(rows), "--out", "out.csv"])
    for form in ("safetensors", "pt2", "onnx"):
        codes[form] = _code(lambda: export(str(path), form=form, to=Path(f"to-{form}")))  # noqa: B023 (called at once)
    return codes


def _code(act: Callable[[], object]) -> int:
    """Anything but our own error passes through, and fails the test."""
    try:
        act()
    except AutoMLError as error:
        return error.exit_code
    return 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(params=["wine"])
def attacked(made: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, in a folder of its own."""
    return Path(shutil.copytree(made, tmp_path / "given" / "bundle"))


@pytest.mark.parametrize("made", ["wine"], indirect=True)
@pytest.mark.parametrize("name", [*REFUSED, *VERSIONS])
def test_a_hostile_bundle_is_refused_whichever_way_it_is_opened(attacked, rows, tmp_path, capsys, name):
    {**REFUSED, **VERSIONS}[name](attacked)
    began, before = time.monotonic(), _peak()
    codes = _open(attacked.parent if name in VERSIONS else attacked, rows)
    assert time.monotonic() - began < SECONDS
    assert _peak() - before < MEGABYTES
    assert set(codes.values()) <= {2, 5}, codes
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("error: ")
    assert said.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given"]


@pytest.mark.parametrize("made", ["wine"], indirect=True)
@pytest.mark.parametrize("name", NEVER_OPENED)
def test_what_is_never_opened_does_no_harm(attacked, rows, tmp_path, name):
    NEVER_OPENED[name](attacked)
    assert _code(lambda: load_model(attacked)) == 0
    assert run(["predict", str(attacked), str(rows), "--out", "out.csv"]) == 0
    assert _code(lambda: export(str(attacked), form="pt2", to=Path("to-pt2"))) == 0
    assert not (tmp_path / "to-pt2" / "conftest.py").exists()
    assert not list(tmp_path.rglob(MARKER))


@pytest.mark.parametrize("made", ["wine"], indirect=True)
def test_an_example_that_fits_no_model_is_no_onnx(attacked, tmp_path):
    example = load((attacked / EXAMPLE).read_bytes())
    for inputs in (example["inputs"][:, :3].copy(), example["inputs"].astype(np.int64), example["inputs"][:0].copy()):
        (attacked / EXAMPLE).write_bytes(save({**example, "inputs": inputs}))
        sign(attacked)
        assert _code(lambda: export(str(attacked), form="onnx", to=tmp_path / "onnx")) == 5


def test_the_payloads_run_when_they_are_unpickled(tmp_path):
    for payload in (Reduce(), Build()):
        pickle.loads(pickle.dumps(payload))
        (tmp_path / MARKER).unlink()
