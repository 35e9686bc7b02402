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


def deliver(link, records, *, kills=0, seconds=300.0):
    """Be the coordinator: hand over, restart what died, until all is acknowledged.

    Kills the carrier `kills` times, each time within a second after something new was acknowledged: a clock alone would,
    on a slow machine, kill each carrier before it had done anything.
    """
    chance = random.Random(1)
    next_kill = float("inf")
    deadline = time.monotonic() + seconds
    link.start()
    link.offer(records)
    while link.pending:
        assert time.monotonic() < deadline, f"{link.pending} left"
        wait([link.connection], timeout=0.02)
        if any(ack.sent for ack in link.receive()) and kills and next_kill == float("inf"):
            next_kill = time.monotonic() + chance.uniform(0.0, 1.0)
        if link.connection is None:
            link.start()
        elif time.monotonic() > next_kill:
            os.kill(link._running.process.pid, signal.SIGKILL)
            kills, next_kill = kills - 1, float("inf")
    assert not kills, f"all arrived with {kills} kills to come: offer more slots"
    link.close(10.0)


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
            history = view._client.get_metric_history(run.info.run_id, "curve/accuracy")
            assert sorted((each.step, each.timestamp) for each in history) == [
                (s, START_MS + 1000 * s) for s in (1, 2, 3)
            ]
    assert view.reconcile([f"{UUID}/{number}" for number in range(slots)]).extra == 0


def carry_through_faults(folder, slots, kills):
    with (
        mlflow_server(folder, port := free_port()) as uri,
        FaultProxy(port, share=1 / 3, seed=0) as proxy,
    ):
        choices = settings(folder, tracking_uri=proxy.uri, artifact_location=None)
        deliver(CarrierLink("mlflow", settings=choices), records_of(slots), kills=kills)
        print(f"{slots} slots, {kills} kills of the carrier, calls {dict(proxy.count)}")
        assert min(proxy.count[fate] for fate in ("before", "after", "cut")) > slots / 10
        assert_each_slot_once(uri, folder, slots)


def test_each_slot_arrives_once_through_a_third_of_failing_calls_and_kills(tmp_path):
    carry_through_faults(tmp_path, slots=12, kills=2)


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_two_hundred_slots_arrive_once_through_failing_calls_and_kills(tmp_path):
    carry_through_faults(tmp_path, slots=200, kills=40)


@pytest.mark.proof
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
