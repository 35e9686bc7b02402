"""A published bundle in another form predicts the same, without us, and says how."""

import csv
import json
import math
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from exported import assigned
from PIL import Image

import automl.encoding
from automl.bundle import check_bundle, load_model, standalone
from automl.bundle.format import CARD, EXAMPLE, MANIFEST, MODEL, PT2, SCHEMA, WEIGHTS, Facts, read_manifest
from automl.cli.main import run
from automl.cli.models import export
from automl.data import Schema
from automl.encoding import Grid
from automl.errors import ConfigError, StorageError
from automl.export import convert, publish
from automl.export.readme import readme
from automl.sources.pictures import decode
from automl.tasks import load_task
from automl.worker.exporting import export as stage

FACTS = Facts("wine", "mlp", "wine-0", 3, 0, "accuracy", "maximize", {"test": 0.9}, "ab" * 32)
CODE = Path(automl.encoding.__file__).parent
CLEAN = """import sys
sys.path.insert(0, ".")
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
class Needed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        wanted = name[0] == "_" or name.partition(".")[0] in ALLOWED | {"encoding"} | sys.stdlib_module_names
        return PathFinder.find_spec(name, path, target) if wanted else None
sys.meta_path[:] = [BuiltinImporter, FrozenImporter, Needed]
"""
"""An interpreter with nothing but what the form says it needs."""
NEEDED = {
    "pt2": {
        "torch",
        "torchgen",
        "functorch",
        "numpy",
        "typing_extensions",
        "sympy",
        "mpmath",
        "filelock",
        "networkx",
        "jinja2",
        "fsspec",
        "markupsafe",
    },
    "onnx": {"onnxruntime", "numpy", "flatbuffers"},
}
"""Torch comes with a few packages of its own."""


@pytest.fixture(scope="module")
def published(staged, tmp_path_factory) -> Path:
    """A bundle's versions."""
    target = tmp_path_factory.mktemp("published") / "wine"
    publish(staged, target, FACTS, verify=lambda folder: None)
    return target


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory) -> Path:
    """The versions of two networks and a temperature."""
    assignment, places = assigned(tmp_path_factory.mktemp("ensemble"), shares=(0.25, 0.75), temperature=0.5)
    stage(assignment, places)
    target = places.search / "published"
    publish(places.search / "staging" / assignment.id, target, FACTS, verify=lambda folder: None)
    return target


def _clean(form: str, folder: Path, code: str, *arguments: str) -> str:
    """Run code in `folder` by an isolated interpreter that can import no more than the form needs."""
    script = f"ALLOWED = {NEEDED[form]!r}\n{CLEAN}\n{code}"
    command = [sys.executable, "-I", "-c", script, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _rows() -> np.ndarray:
    rows = load_task("wine").read().array()[:9].copy()
    rows[3, 2] = np.nan
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pt2", "onnx"])
@pytest.mark.parametrize("kind", ["published", "ensemble"])
def test_a_form_predicts_the_same_in_a_process_without_us(request, tmp_path, form, kind):
    versions = request.getfixturevalue(kind)
    folder = convert(versions, form, tmp_path / form)
    model, rows = load_model(versions), _rows()
    np.save(tmp_path / "rows.npy", rows)
    lines = [line for line in (folder / "README.txt").read_text().splitlines() if line.startswith("    ")]
    snippet = textwrap.dedent("\n".join(line for line in lines if "python predict.py" not in line))
    assert len(snippet.splitlines()) == 5
    shuffled = [*reversed(model.schema.columns), "more"]
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(shuffled)
        writer.writerows([*("" if np.isnan(cell) else cell for cell in row[::-1]), "x"] for row in rows.tolist())

    code = (
        f"import numpy, runpy\nrows = numpy.load('../rows.npy')\n{snippet}\nprint(json.dumps(outputs.tolist()))\n"
        "runpy.run_path('predict.py', run_name='__main__')"
    )
    outputs, *table = _clean(form, folder, code, "../rows.csv").splitlines()
    assert np.allclose(json.loads(outputs), model.outputs(model.schema.encode(rows)), atol=1e-5)
    header, *predicted = csv.reader(table)
    assert header == ["prediction", *(f"p_{label}" for label in model.schema.labels)]
    assert [row[0] for row in predicted] == model.predict(rows).tolist()
    assert np.allclose(np.array([row[1:] for row in predicted], float), model.predict_proba(rows), atol=1e-5)


def test_an_ensemble_predicts_the_same_by_the_command_as_by_load_model(ensemble, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, rows = load_model(ensemble), load_task("wine").read().array()[:9]
    lines = [",".join(model.schema.columns), *(",".join(map(repr, row)) for row in rows.tolist())]
    Path("rows.csv").write_text("\n".join(lines))
    assert run(["predict", str(ensemble), "rows.csv", "--out", "out.csv"]) == 0
    _, *predicted = csv.reader(Path("out.csv").read_text().splitlines())
    assert np.allclose(np.array([row[1:] for row in predicted], float), model.predict_proba(rows), atol=1e-5)


def test_the_script_refuses_a_changed_file_before_it_is_opened(published, tmp_path):
    folder = convert(published, "pt2", tmp_path / "pt2")
    standalone.check(folder)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        with pytest.raises(ValueError, match=f"{path.name} was changed"):
            standalone.load(folder)
        path.write_bytes(whole)


def test_the_script_says_in_one_line_what_is_wrong(published, tmp_path):
    folder = convert(published, "pt2", tmp_path / "pt2")
    (tmp_path / "rows.csv").write_text("alcohol,more\n1,2\n")

    def said(*arguments: str) -> str:
        command = [sys.executable, "-I", str(folder / "predict.py"), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr

    assert said() == "error: one CSV file is needed: python predict.py ROWS.csv\n"
    (folder / "schema.json").write_bytes((folder / "schema.json").read_bytes()[:-1] + b"\t")
    assert said("rows.csv") == f"error: {folder / 'schema.json'} was changed since it was exported; do not use it\n"
    schema = load_model(published).schema
    with pytest.raises(
        ValueError, match=r"rows.csv needs the columns alcohol, .* \(13 in all\), but has no malic_acid"
    ):
        standalone.read_rows(str(tmp_path / "rows.csv"), json.loads(schema.to_json()))


@pytest.mark.parametrize("content", [b"BM\xff\xfe", b"\x89PNG", b"BM\0\0", None])
def test_the_script_says_of_a_picture_or_a_folder_what_it_reads(tmp_path, content):
    path = tmp_path / "pets"
    path.mkdir() if content is None else path.write_bytes(content)
    schema = {"encoders": [{"kind": "grid", "columns": ["grey_0_0", "grey_0_1"]}]}
    with pytest.raises(
        ValueError, match=r"pets (is no CSV.*: one with|needs) the columns grey_0_0, grey_0_1"
    ) as caught:
        standalone.read_rows(str(path), schema)
    assert content == b"BM\0\0" or str(caught.value).endswith("README.txt says how its rows are made")


@pytest.mark.parametrize(("shape", "white"), [((1, 8, 10), 255.0), ((3, 32, 32), 16.0), ((4, 9, 8), 255.0)])
def test_the_readme_makes_the_same_row_of_a_picture_as_we_do(tmp_path, shape, white):
    files = [tmp_path / f"{number}.{suffix}" for number, suffix in enumerate(["png", "jpg", "bmp", "png", "png"])]
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 4), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    for file, mode in zip(files, ("RGBA", "RGB", "RGB", "LA", "L"), strict=True):
        Image.fromarray(noise).convert(mode).save(file, **({"exif": turned} if file.suffix == ".jpg" else {}))
    Image.fromarray(noise[..., 0].astype(np.uint16) * 257).save(files[4])
    grid = Grid(tuple(map(str, range(math.prod(shape)))), shape, (0.0,) * shape[0], (1.0,) * shape[0])
    text = readme("pt2", FACTS, Schema("t", "classification", "image", "y", (grid,), ("a", "b"), white=white), {})
    lines = text.partition("which need Pillow")[2].splitlines()
    found = {"paths": files}
    exec(textwrap.dedent("\n".join(line for line in lines if line.startswith("    "))), found)
    ours = np.stack([pixels.reshape(-1) for pixels in decode(files, shape)]) * (white / 255)
    assert np.array_equal(found["rows"], ours)


def test_two_exports_in_one_program_each_encode_by_the_code_beside_them(published, tmp_path, monkeypatch):
    importable = list(sys.path)
    for name, mean in (("one", 1.0), ("two", 2.0)):
        folder = convert(published, "pt2", tmp_path / name)
        with (folder / "encoding" / "number.py").open("a") as file:
            file.write(f"\n\nMEAN = {mean}\n")
        monkeypatch.setattr(standalone, "__file__", str(folder / "predict.py"))
        code = standalone._encoding()
        assert mean == sys.modules[code.Number.__module__].MEAN
        assert standalone._encoding() is code
    assert sys.path == importable


def test_code_that_cannot_be_run_fails_each_time_it_is_asked_for(published, tmp_path, monkeypatch):
    folder = convert(published, "pt2", tmp_path / "pt2")
    (folder / "encoding" / "cells.py").write_text("raise RuntimeError('broken')")
    monkeypatch.setattr(standalone, "__file__", str(folder / "predict.py"))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            standalone._encoding()


def test_the_code_lies_in_a_folder_of_the_owners_and_in_the_manifest(published, tmp_path):
    folder = convert(published, "pt2", tmp_path / "pt2")
    assert stat.S_IMODE((folder / "encoding").stat().st_mode) == 0o700
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    assert set(read_manifest(folder).files) == written
    assert {name for name in written if "/" in name} == {f"encoding/{path.name}" for path in CODE.glob("*.py")}
    with pytest.raises(StorageError, match=f"{WEIGHTS} missing from the manifest"):
        load_model(folder)


def test_the_script_decodes_numbers_as_we_do():
    grid = Grid(tuple("abcdef"), (1, 2, 3), (2.0,), (3.0,))
    schema = Schema("t", "regression", "image", "y", (grid,), (), 5.0, 7.0)
    data = json.loads(schema.to_json())
    assert np.array_equal(standalone.decode(data, np.array([[0.5]])), schema.decode(np.array([[0.5]])))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(0, 3), (5, 3), (100_000, 3), (40, 1, 28, 28), (700, 2, 512)])
def test_the_script_gives_the_network_some_rows_at_a_time_and_leaves_none_out(shape):
    rows = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    slices = list(standalone._slices(rows))
    assert np.array_equal(np.concatenate(slices), rows)
    assert max(part.size for part in slices) <= 1 << 17


def test_onnx_gives_no_path_of_this_machine_away(published, tmp_path):
    content = (convert(published, "onnx", tmp_path / "onnx") / "model.onnx").read_bytes()
    for place in (b"site-packages", str(Path(__file__).parents[2]).encode()):
        assert place not in content


@pytest.mark.slow
def test_an_onnx_that_gives_other_outputs_is_refused(published):
    from torch import nn

    from automl.bundle.onnx import to_onnx

    class Forgetful(nn.Module):
        """Gives one thing to whoever traces it and another to whoever checks."""

        def forward(self, x):
            import torch

            return x if torch.compiler.is_exporting() else x + 1

    with pytest.raises(StorageError, match="other outputs than the model in a batch of 1"):
        to_onnx(Forgetful(), np.ones((2, 3), np.float32))


def test_the_safe_form_loads_and_has_no_pickle(published, tmp_path):
    folder = convert(published, "safetensors", tmp_path / "safe")
    assert sorted(path.name for path in folder.iterdir()) == sorted([WEIGHTS, MODEL, SCHEMA, EXAMPLE, CARD, MANIFEST])
    assert (load_model(folder).predict(_rows()) == load_model(published).predict(_rows())).all()
    assert check_bundle(folder).facts == FACTS


def test_an_export_keeps_the_versions_that_the_model_was_made_with(published, tmp_path, monkeypatch):
    monkeypatch.setattr("automl.bundle.format._libraries", lambda: {"torch": "other"})
    folder = convert(published, "safetensors", tmp_path / "safe")
    assert check_bundle(folder).libraries["torch"] != "other"


def test_an_unknown_form_and_a_missing_extra_say_what_to_do(published, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"Unknown format 'onx'.*Did you mean 'onnx'"):
        convert(published, "onx", tmp_path / "to")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs onnx, onnxscript, onnxruntime") as caught:
        convert(published, "onnx", tmp_path / "to")
    assert "pip install 'automl-search[onnx]'" in caught.value.hint


@pytest.mark.parametrize("there", ["file", "full", "link"])
def test_a_target_that_holds_something_is_refused_and_kept(published, tmp_path, there):
    to = tmp_path / "to"
    match there:
        case "file":
            to.write_text("mine")
        case "full":
            to.mkdir()
            (to / "mine").write_text("mine")
        case "link":
            to.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="is there already"):
        convert(published, "safetensors", to)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["to"]


def test_an_empty_target_is_filled_and_is_the_owners_alone(published, tmp_path):
    before = os.umask(0)
    try:
        (tmp_path / "empty").mkdir()
        for to in (tmp_path / "empty", tmp_path / "new" / "below"):
            convert(published, "safetensors", to)
            assert {stat.S_IMODE(path.stat().st_mode) for path in to.iterdir()} == {0o600}
            assert stat.S_IMODE(to.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_damaged_bundle_is_not_converted(published, tmp_path):
    folder = convert(published, "safetensors", tmp_path / "safe")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1] + b"x")
    with pytest.raises(StorageError, match=r"weights\.safetensors was changed"):
        convert(folder, "safetensors", tmp_path / "again")
    (folder / WEIGHTS).unlink()
    assert not (tmp_path / "again").exists()


def test_a_bundle_without_pt2_says_so(published, tmp_path):
    folder = convert(published, "safetensors", tmp_path / "safe")
    with pytest.raises(StorageError, match=f"has no {PT2}"):
        convert(folder, "pt2", tmp_path / "pt2")


def test_the_command_names_files_and_what_is_next(published, tmp_path, capsys):
    export(str(published), form="pt2", to=tmp_path / "pt2", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["files"] == sorted(
        [PT2, MODEL, SCHEMA, EXAMPLE, CARD, MANIFEST, "README.txt", "encoding", "predict.py"]
    )
    export(str(published), form="safetensors", to=tmp_path / "safe", as_json=False)
    assert "next: automl.load_model" in capsys.readouterr().out
