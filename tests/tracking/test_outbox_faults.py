"""The outbox against a real MLflow server that is down, spoils calls, or whose carrier is killed."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from multiprocessing.connection import wait

import pytest
from fault_proxy import FaultProxy
from outbox_samples import START_MS, UUID, end, failed, pruned, search, settings, slot

from automl.tracking.link import CarrierLink
from automl.tracking.mlflow_view import MlflowView

pytestmark = pytest.mark.slow


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def mlflow_server(folder, port):
    """A real server of MLflow on 127.0.0.1, with its data in `folder`."""
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/server.db"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--allowed-hosts", f"127.0.0.1:{port},localhost:{port}"]
    environ = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with open(folder / "server.log", "ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def records_of(slots):
    """A search of complete, pruned, failed and lost slots."""
    kinds = (slot, pruned, failed, lambda number: failed(number, lost=True))
    return [search(), *(kinds[number % 4](number) for number in range(slots)), end(id=10_000)]


def deliver(link, records, *, kill_every=None, seconds=300.0):
    """Be the coordinator: hand over, restart what died, until all is acknowledged; returns how often it was killed."""
    chance = random.Random(1)
    kills, next_kill = 0, time.monotonic() + (kill_every or seconds)
    deadline = time.monotonic() + seconds
    link.start()
    link.offer(records)
    while link.pending:
        assert time.monotonic() < deadline, f"{link.pending} left"
        wait([link.connection], timeout=0.1)
        link.receive()
        if link.connection is None:
            link.start()
        if time.monotonic() > next_kill:
            os.kill(link._running.process.pid, signal.SIGKILL)
            kills += 1
            next_kill = time.monotonic() + kill_every * chance.uniform(0.7, 1.3)
    link.close(10.0)
    return kills


def assert_each_slot_once(uri, folder, slots):
    view = MlflowView(settings(folder, tracking_uri=uri, artifact_location=None), say=print)
    view.open()
    runs = view._client.search_runs([view._experiment], f"tags.`automl.trial_key` LIKE '{UUID}/%'", max_results=1000)
    assert sorted(int(run.data.tags["slot"]) for run in runs) == list(range(slots))
    (parent,) = view._client.search_runs([view._experiment], f"tags.`automl.trial_key` = '{UUID}'")
    assert parent.info.status == "FINISHED"
    assert len(parent.inputs.dataset_inputs) == 1
    for run in runs:
        number = int(run.data.tags["slot"])
        assert run.info.status == ("FINISHED", "FINISHED", "FAILED", "KILLED")[number % 4]
        assert run.data.params["lr"] == str(0.001 * (number + 1))
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.metrics.get("objective") == (number / 1000 if number % 4 == 0 else None)
        if number % 4 < 2:
            history = view._client.get_metric_history(run.info.run_id, "accuracy")
            assert sorted((each.step, each.timestamp) for each in history) == [
                (s, START_MS + 1000 * s) for s in (1, 2, 3)
            ]
    assert view.reconcile([f"{UUID}/{number}" for number in range(slots)]).extra == 0


def carry_through_faults(folder, slots, kill_every):
    with (
        mlflow_server(folder, port := free_port()) as uri,
        FaultProxy(port, share=1 / 3, seed=0) as proxy,
    ):
        choices = settings(folder, tracking_uri=proxy.uri, artifact_location=None)
        kills = deliver(CarrierLink("mlflow", settings=choices), records_of(slots), kill_every=kill_every)
        print(f"{slots} slots, {kills} kills of the carrier, calls {dict(proxy.count)}")
        assert kills >= 3
        assert min(proxy.count[fate] for fate in ("before", "after", "cut")) > slots / 10
        assert_each_slot_once(uri, folder, slots)


def test_each_slot_arrives_once_through_a_third_of_failing_calls_and_kills(tmp_path):
    carry_through_faults(tmp_path, slots=24, kill_every=2.0)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_two_hundred_slots_arrive_once_through_failing_calls_and_kills(tmp_path):
    carry_through_faults(tmp_path, slots=200, kill_every=4.0)


def test_a_server_that_comes_up_late_gets_everything(tmp_path):
    port = free_port()
    choices = settings(tmp_path, tracking_uri=f"http://127.0.0.1:{port}", artifact_location=None)
    link = CarrierLink("mlflow", settings=choices)
    link.start()
    link.offer(records_of(8))
    wait([link.connection], timeout=5.0)
    assert "not reachable" in link.receive()[0].trouble
    with mlflow_server(tmp_path, port) as uri:
        deliver(link, [], seconds=60.0)
        assert_each_slot_once(uri, tmp_path, 8)
