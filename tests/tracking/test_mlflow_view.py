import errno
from types import SimpleNamespace

import pytest
from fake_mlflow import FakeClient, Fault
from outbox_samples import UUID, end, failed, search, settings, slot

from automl.tracking.mlflow_store import reconcile
from automl.tracking.mlflow_view import MlflowView
from automl.tracking.view import Misplaced, Refused, Unreachable

AWAY = Fault("INTERNAL_ERROR", "connection refused")
EXPORT = {
    "id": 3,
    "topic": "export",
    "bundle": "exports/digits/v-0",
    "report": None,
    "digest": "0" * 64,
    "tags": {},
    "metrics": {},
    "ended_ms": 0,
    "champion_was": None,
    "moves": True,
}


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def said():
    return []


@pytest.fixture
def view(client, said, tmp_path):
    return reopened(client, tmp_path, said)


def reopened(client, folder, said=None):
    """A view as a new carrier process has it."""
    view = MlflowView(settings(folder), say=(said if said is not None else []).append, connect=lambda uri: client)
    view.open()
    return view


def carry(view, record):
    """Send a record as the carrier does: again and again until it is taken."""
    for _ in range(5):
        try:
            return view.send(record)
        except Unreachable:
            continue
    raise AssertionError("never taken")


def test_a_search_becomes_a_parent_with_one_child_per_slot(view, client):
    for record in (search(), slot(0), failed(1), end()):
        view.send(record)
    (parent,) = client.named(UUID)
    children = [client.named(f"{UUID}/{number}") for number in (0, 1)]
    assert [[run.info.status for run in runs] for runs in children] == [["FINISHED"], ["FAILED"]]
    assert {run.data.tags["mlflow.parentRunId"] for runs in children for run in runs} == {parent.info.run_id}
    assert parent.info.status == "FINISHED"
    assert parent.datasets == ["digits"]
    assert parent.data.tags["verdict"] == "better than default"


def test_a_new_run_costs_three_calls_and_no_search(view, client):
    view.send(search())
    client.calls.clear()
    view.send(slot(0))
    assert client.calls == ["create_run", "log_batch", "set_terminated"]


def test_a_record_sent_twice_changes_nothing(view, client, tmp_path):
    for record in (search(), slot(0), end()):
        view.send(record)
    before = {run.info.run_id: (run.data.points, run.info.status) for run in client.runs.values()}
    again = reopened(client, tmp_path)
    for record in (search(), slot(0), end()):
        again.send(record)
    assert {run.info.run_id: (run.data.points, run.info.status) for run in client.runs.values()} == before


def test_a_creation_whose_answer_was_lost_makes_one_run(view, client):
    view.send(search())
    client.fail("create_run", AWAY, when="after")
    carry(view, slot(0))
    assert len(client.named(f"{UUID}/0")) == 1
    assert len(client.runs) == 2


def test_a_creation_that_did_not_happen_is_made_up_for(view, client):
    view.send(search())
    client.fail("create_run", AWAY, when="before")
    client.fail("search_runs", AWAY)
    carry(view, slot(0))
    assert len(client.named(f"{UUID}/0")) == 1


@pytest.mark.parametrize("method", ["log_batch", "set_terminated"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_later_step_that_fails_is_repeated_on_the_same_run(view, client, method, when):
    view.send(search())
    client.fail(method, AWAY, when=when)
    carry(view, slot(0))
    (run,) = client.named(f"{UUID}/0")
    assert run.info.status == "FINISHED"
    assert ("objective", 0.0, slot(0)["ended_ms"], 0) in run.data.points


def test_of_two_runs_with_one_key_the_smallest_id_stays(view, client, tmp_path):
    view.send(search())
    for _ in range(2):
        client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/0"}, run_name="twin")
    carry(reopened(client, tmp_path), slot(0))
    (run,) = client.named(f"{UUID}/0")
    assert run.info.run_id == f"{1:032x}"
    assert run.info.status == "FINISHED"


def test_a_run_created_late_does_not_displace_the_written_one(view, client, tmp_path):
    client.create_experiment("other")
    view.send(search())
    view.send(slot(0))
    late = client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/0"}, run_name="late")
    client.runs = {"0" * 31 + "!": late, **{key: run for key, run in client.runs.items() if run is not late}}
    late.info.run_id = "0" * 31 + "!"
    reopened(client, tmp_path)
    (run,) = client.named(f"{UUID}/0")
    assert run.info.status == "FINISHED"


def test_a_run_that_a_person_deleted_midway_is_created_anew(view, client, said):
    view.send(search())
    client.fail("log_batch", AWAY)
    with pytest.raises(Unreachable):
        view.send(slot(0))
    (run,) = client.named(f"{UUID}/0")
    client.delete_run(run.info.run_id)
    view.send(slot(0))
    assert [run.info.status for run in client.named(f"{UUID}/0")] == ["FINISHED"]
    assert "deleted" in said[0]


def test_a_deleted_parent_is_created_anew_and_gets_its_children_back(view, client):
    view.send(search())
    view.send(slot(0))
    client.delete_run(client.named(UUID)[0].info.run_id)
    view.send(end())
    (parent,) = client.named(UUID)
    (child,) = client.named(f"{UUID}/0")
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert parent.data.tags["task"] == "digits"


def test_a_deleted_experiment_is_followed_by_a_second_one_and_said(view, client, said):
    view.send(search())
    client.delete_experiment("1")
    view.send(slot(0))
    (run,) = client.named(f"{UUID}/0")
    assert client.experiments[run.info.experiment_id].name == "digits-2"
    assert any("deleted" in line for line in said)


def test_a_renamed_experiment_is_found_again_by_its_runs(view, client, said, tmp_path):
    view.send(search())
    client.experiments["1"].name = "archive"
    client.create_experiment("digits", settings(tmp_path)["artifact_location"])
    reopened(client, tmp_path, said).send(slot(0))
    assert client.named(f"{UUID}/0")[0].info.experiment_id == "1"
    assert "archive" in said[0]


def test_a_record_that_mlflow_will_never_take_is_refused_once_and_marked(view, client):
    view.send(search())
    for _ in range(2):
        client.fail("log_batch", Fault("INVALID_PARAMETER_VALUE", "bad name"))
    with pytest.raises(Refused, match=r"mlp-0 .* bad name"):
        view.send(slot(0))
    (run,) = client.named(f"{UUID}/0")
    assert run.data.tags["automl.refused"] == "bad name"
    assert run.info.status == "FINISHED"
    view.send(slot(1))


def test_a_broken_record_is_refused_without_a_call(view, client):
    client.calls.clear()
    with pytest.raises(Refused):
        view.send({"id": 5, "topic": "slot", "slot": 1})
    assert client.calls == []


def test_a_slot_whose_search_record_never_came_still_has_a_parent(view, client):
    view.send(slot(0))
    assert client.named(UUID)[0].data.tags["search"] == "digits-0"


@pytest.mark.parametrize("uri", [None, "http://host:5000", "postgresql://host/db"])
@pytest.mark.parametrize(
    "location",
    [
        "file:///etc",
        "/etc",
        "FILE:/etc",
        "file://localhost/etc",
        "mlruns/1",
        "{}/mlruns/../../etc",
        "{}/mlrunsx",
    ],
)
def test_an_experiment_that_keeps_artifacts_in_another_folder_of_this_machine_is_refused(
    client, tmp_path, uri, location
):
    client.create_experiment("digits", artifact_location=location.format(tmp_path))
    view = MlflowView(elsewhere(tmp_path, uri), say=print, connect=lambda uri: client)
    with pytest.raises(
        Misplaced, match=r"'digits' must keep artifacts below .*/mlruns or with its server, but"
    ) as said:
        view.open()
    assert ("--serve-artifacts" in str(said.value)) == (uri == "http://host:5000")


@pytest.mark.parametrize("uri", ["http://host:5000", "postgresql://host/db"])
@pytest.mark.parametrize(
    "location", ["mlflow-artifacts:/1", "mlflow-artifacts://h/1", "s3://b/1", "gs://b/1", "{}/mlruns/1"]
)
def test_a_server_that_takes_artifacts_or_was_started_beside_us_is_written_to(client, tmp_path, uri, location):
    client.create_experiment("digits", artifact_location=location.format(tmp_path))
    MlflowView(elsewhere(tmp_path, uri), say=print, connect=lambda uri: client).open()


def elsewhere(folder, uri):
    return settings(folder, **({"tracking_uri": uri, "artifact_location": None} if uri else {}))


def test_a_run_whose_server_would_have_the_report_written_elsewhere_gets_none(view, client, tmp_path, monkeypatch):
    report = tmp_path / "index.html"
    report.touch()
    info = SimpleNamespace(artifact_uri="file:///etc")
    monkeypatch.setattr(FakeClient, "get_run", lambda self, run: SimpleNamespace(info=info), raising=False)
    with pytest.raises(Misplaced, match=r"MLflow run .* but keeps them in file:///etc"):
        view.send({**EXPORT, "report": str(report)})


def test_what_is_said_of_a_failure_holds_no_password(client, tmp_path):
    uri = "postgresql://me:S3cr3t-xyz@db/mlflow"
    view = MlflowView(settings(tmp_path, tracking_uri=uri), say=print, connect=lambda uri: client)
    view.open()
    client.fail("create_run", Fault("INTERNAL_ERROR", f"cannot reach {uri}"))
    with pytest.raises(Unreachable, match="MLflow not reachable at postgresql://") as caught:
        view.send(slot(0))
    assert "S3cr3t" not in str(caught.value)


def test_half_a_password_is_not_said_where_a_long_reason_is_cut(client, tmp_path):
    uri = "postgresql://me:S3/cr3t-xyz-abcdefgh@db/mlflow"
    view = MlflowView(settings(tmp_path, tracking_uri=uri), say=print, connect=lambda uri: client)
    view.open()
    client.fail("create_run", Fault("INTERNAL_ERROR", "x" * 270 + f" {uri}"))
    with pytest.raises(Unreachable) as caught:
        view.send(slot(0))
    assert "cr3t" not in str(caught.value)


def test_reconcile_counts_and_ends_what_only_looks_alive(view, client):
    for record in (search(), slot(0), slot(1), slot(5)):
        view.send(record)
    client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/2"}, run_name="open")
    client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/0"}, run_name="twin")
    result = reconcile(client, "1", UUID, [f"{UUID}/{number}" for number in (0, 1, 2, 3)])
    assert (result.synced, result.missing, result.extra) == (2, (f"{UUID}/2", f"{UUID}/3"), 2)
    assert client.named(f"{UUID}/2")[0].info.status == "RUNNING"
    assert client.named(UUID)[0].info.status == "KILLED"
    assert len(client.named(f"{UUID}/0")) == 1


def test_a_half_told_run_is_missing_however_often_that_is_asked(view, client):
    view.send(search())
    client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/0"}, run_name="half")
    for _ in range(2):
        assert view.reconcile([f"{UUID}/0"]).missing == (f"{UUID}/0",)


def test_what_reconcile_found_missing_is_in_step_after_a_second_sending(view, client):
    view.send(search())
    client.create_run("1", start_time=0, tags={"automl.trial_key": f"{UUID}/0"}, run_name="half")
    view.reconcile([f"{UUID}/0"])
    view._look_up(f"{UUID}/0")
    view.send(slot(0))
    assert view.reconcile([f"{UUID}/0"]).synced == 1


def test_a_disk_that_is_full_is_told_from_a_server_that_is_away(view, client, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(client, "create_run", full)
    with pytest.raises(Unreachable, match=r"MLflow cannot be written at .*No space left"):
        view.send(slot(0))


def test_an_export_without_a_bundle_is_refused_and_does_not_come_again(view):
    with pytest.raises(Refused, match=r"record 3 cannot be registered in MLflow: TypeError"):
        view.send({**EXPORT, "bundle": None})


def test_a_mistake_in_the_program_is_not_taken_for_a_server_that_is_away(view, client):
    client.fail("create_run", AttributeError("'NoneType' object has no attribute 'info'"))
    with pytest.raises(Unreachable, match=r"by a mistake in the program: .* \(AttributeError: 'NoneType'") as caught:
        view.send(slot(0))
    assert "not reachable" not in str(caught.value)
