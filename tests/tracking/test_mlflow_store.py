"""The view on a real MLflow with its default store, a SQLite file."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from multiprocessing.connection import wait

import pytest
from outbox_samples import START_MS, UUID, end, failed, pruned, search, settings, slot

from automl.tracking.link import CarrierLink
from automl.tracking.mlflow_view import MlflowView
from automl.tracking.view import Refused

pytestmark = pytest.mark.slow


def opened(folder, said=None):
    view = MlflowView(settings(folder), say=(said if said is not None else []).append)
    view.open()
    return view


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An empty store, so that MLflow's migrations run once."""
    folder = tmp_path_factory.mktemp("template")
    view = MlflowView({**settings(folder), "experiment": "empty"}, say=print)
    view.open()
    view._client._tracking_client.store.engine.dispose()
    return folder / "mlflow.db"


@pytest.fixture
def folder(tmp_path, template):
    (tmp_path / "mlflow.db").write_bytes(template.read_bytes())
    return tmp_path


def children(view, order_by=()):
    return view._client.search_runs(
        [view._experiment], f"tags.`automl.trial_key` LIKE '{UUID}/%'", order_by=list(order_by), max_results=1000
    )


def test_mlflow_finds_the_best_slot_as_the_design_promises(folder):
    view = opened(folder)
    for record in (search(), slot(3), slot(7), pruned(9, value=0.9), failed(4), end()):
        view.send(record)
    found = view._client.search_runs(
        [view._experiment], "tags.state = 'complete'", order_by=["metrics.objective DESC"], max_results=1
    )
    (best,) = found
    assert best.data.tags["slot"] == "7"
    assert best.data.metrics["objective"] == 0.007
    assert (best.info.status, best.info.start_time, best.info.end_time) == ("FINISHED", START_MS, START_MS + 60_000)
    statuses = {run.data.tags["slot"]: run.info.status for run in children(view)}
    assert statuses == {"3": "FINISHED", "7": "FINISHED", "9": "FINISHED", "4": "FAILED"}


def test_replaying_everything_leaves_every_history_as_it_was(folder):
    for _ in range(2):
        view = opened(folder)
        for record in (search(), slot(0, epochs=5), end()):
            view.send(record)
    (run,) = children(view)
    history = view._client.get_metric_history(run.info.run_id, "curve/loss")
    assert [(point.step, point.value, point.timestamp) for point in history] == [
        (step, 1 / step, START_MS + 1000 * step) for step in range(1, 6)
    ]


def test_nan_and_long_parameters_are_taken(folder):
    view = opened(folder)
    view.send(slot(0, params={"layers": "x" * 9000}, curve=[[1, {"loss": float("nan"), "accuracy": 0.5}, START_MS]]))
    (run,) = children(view)
    assert len(run.data.params["layers"]) == 6000
    assert "curve/loss" not in run.data.metrics


def test_a_deleted_run_a_deleted_experiment_and_a_bad_name_each_end_well(folder):
    said = []
    view = opened(folder, said)
    view.send(search())
    view.send(slot(0))
    view._client.delete_run(view._runs[f"{UUID}/0"])
    view.send(slot(0))
    with pytest.raises(Refused):
        view.send(slot(1, values={"bad@name": 1.0}))
    assert {run.data.tags["slot"] for run in children(view)} == {"0", "1"}
    view._client.delete_experiment(view._experiment)
    view.send(slot(2))
    assert [run.data.tags["slot"] for run in children(view)] == ["2"]
    assert view._client.get_experiment(view._experiment).name == "digits-2"
    assert view.reconcile([f"{UUID}/{number}" for number in range(3)]).missing == (f"{UUID}/0", f"{UUID}/1")


def test_the_experiment_keeps_its_artifacts_in_the_working_folder(folder):
    view = opened(folder)
    assert view._client.get_experiment(view._experiment).artifact_location == (folder / "mlruns/digits").as_uri()


@pytest.mark.parametrize("name", ["ü ñ模型 'a' #{x}", "50%3F what?"])
def test_any_working_folder_will_do(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    view = opened(folder)
    view.send(slot(0))
    assert (folder / "mlflow.db").exists()
    assert len(children(view)) == 1


def test_a_new_store_gets_a_write_ahead_log_and_an_old_one_keeps_its_mode(tmp_path):
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        database.execute("PRAGMA journal_mode=DELETE")
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_store_that_was_being_made_when_its_maker_was_killed_is_made_anew(tmp_path):
    """MLflow opens no file that lacks some of its tables; half made, it may not stand where it is looked for."""
    code = (
        "import os, signal, sys; import mlflow.store.db.utils as utils; from automl.tracking.mlflow_store import connect\n"
        "utils._upgrade_db = lambda engine: os.kill(os.getpid(), signal.SIGKILL)\nconnect(sys.argv[1])"
    )
    uri = settings(tmp_path)["tracking_uri"]
    done = subprocess.run([sys.executable, "-c", code, uri], cwd=tmp_path, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (tmp_path / "mlflow.db").exists()
    opened(tmp_path).send(search())


def test_a_carrier_process_brings_a_search_into_step_and_leaves_no_litter(folder):
    link = CarrierLink("mlflow", settings=settings(folder))
    link.start()
    link.hurry()  # else it works when nobody else wants the processor
    link.offer([search(), *[slot(number) for number in range(20)], end()])
    deadline = time.monotonic() + 60
    while link.pending and time.monotonic() < deadline:
        wait([link.connection], timeout=1.0)
        assert [ack.trouble for ack in link.receive() if ack.trouble] == []
    began = time.monotonic()
    link.close(30.0)
    assert time.monotonic() - began < 30.0, "it was killed"
    assert sorted(os.listdir(folder)) == ["carrier.log", "mlflow.db"]
    view = opened(folder)
    assert view.reconcile([f"{UUID}/{number}" for number in range(20)]).synced == 20


def test_making_a_store_says_nothing(tmp_path):
    code = f"from automl.tracking.mlflow_store import connect; connect('sqlite:///{tmp_path}/mlflow.db')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
