import json
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, distribution_to_json
from optuna.trial import TrialState
from outbox_samples import START_MS, end, failed, search, slot

from automl.tracking.optuna_view import OptunaView, _open_storage
from automl.tracking.view import Refused, Unreachable

SPACE = {"lr": FloatDistribution(1e-5, 1.0, log=True), "optimizer": CategoricalDistribution(["sgd", "adamw"])}


def with_space(record, **changes):
    return {
        **record,
        "params": {"lr": 0.01, "optimizer": "adamw"},
        "distributions": {name: json.loads(distribution_to_json(each)) for name, each in SPACE.items()},
        "direction": "maximize",
        "intermediate": [[1, 0.4], [2, 0.5]],
        **changes,
    }


def view_on(path):
    view = OptunaView({"path": str(path), "search": "digits-0"})
    view.open()
    return view


def trials(path, family="mlp"):
    return optuna.load_study(study_name=f"digits-0-{family}", storage=_open_storage(path)).trials


def test_each_final_slot_is_one_finished_trial_of_its_familys_study(tmp_path):
    view = view_on(tmp_path / "optuna.db")
    for record in (search(), with_space(slot(3)), with_space(slot(4, family="cnn")), with_space(failed(5)), end()):
        view.send(record)
    first, second = trials(tmp_path / "optuna.db")
    assert (first.state, first.value, first.user_attrs["slot"]) == (TrialState.COMPLETE, 0.003, 3)
    assert first.params == {"lr": 0.01, "optimizer": "adamw"}
    assert first.intermediate_values == {1: 0.4, 2: 0.5}
    assert first.duration.total_seconds() == 60
    assert first.datetime_start.timestamp() == START_MS / 1000
    assert (second.state, second.user_attrs["reason"]) == (TrialState.FAIL, "diverged (NaN at epoch 1)")
    assert len(trials(tmp_path / "optuna.db", "cnn")) == 1


def test_a_pruned_slot_keeps_its_last_value(tmp_path):
    view_on(tmp_path / "o.db").send(with_space(slot(1, state="pruned", value=0.5)))
    assert [(trial.state, trial.value) for trial in trials(tmp_path / "o.db")] == [(TrialState.PRUNED, 0.5)]


def test_a_slot_sent_twice_is_one_trial_also_after_a_restart(tmp_path):
    for _ in range(2):
        view = view_on(tmp_path / "o.db")
        view.send(with_space(slot(1)))
        view.send(with_space(slot(1)))
    assert len(trials(tmp_path / "o.db")) == 1


def test_a_trial_that_someone_else_added_is_passed_over(tmp_path):
    view_on(tmp_path / "o.db").send(with_space(slot(1)))
    foreign = optuna.load_study(study_name="digits-0-mlp", storage=_open_storage(tmp_path / "o.db"))
    foreign.add_trial(optuna.create_trial(value=0.5))
    view = view_on(tmp_path / "o.db")
    view.send(with_space(slot(1)))
    view.send(with_space(slot(2)))
    assert [trial.user_attrs.get("slot") for trial in trials(tmp_path / "o.db")] == [1, None, 2]


def test_a_value_that_optuna_cannot_hold_is_refused(tmp_path):
    with pytest.raises(Refused, match="slot 1"):
        view_on(tmp_path / "o.db").send(with_space(slot(1, value=math.nan)))


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    (tmp_path / "o.db").write_bytes(b"precious" * 1000)
    with pytest.raises(Unreachable, match="not a database"):
        view_on(tmp_path / "o.db")
    assert (tmp_path / "o.db").read_bytes() == b"precious" * 1000


def test_any_folder_name_holds_the_file(tmp_path):
    folder = tmp_path / "ü ñ'a' #%3F?{x}"
    folder.mkdir()
    view = view_on(folder / "o.db")
    view.send(with_space(slot(1)))
    view.close()
    assert len(trials(folder / "o.db")) == 1
    assert os.listdir(tmp_path) == [folder.name]


@pytest.mark.slow
def test_optunas_own_command_reads_the_file(tmp_path):
    view_on(tmp_path / "o.db").send(with_space(slot(1)))
    optuna_command = Path(sys.executable).with_name("optuna")
    command = [optuna_command, "trials", "--study-name", "digits-0-mlp", "--storage", f"sqlite:///{tmp_path}/o.db"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "COMPLETE" in output


@pytest.mark.parametrize(("revision", "schema"), [("v2.6.0.a", 12), ("v9.9.9", 99)])
def test_a_file_of_another_version_is_refused_untouched_with_the_way_out(tmp_path, revision, schema):
    path = tmp_path / "o.db"
    view = view_on(path)
    view.send(with_space(slot(1)))
    view.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode=DELETE")
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.execute("UPDATE version_info SET schema_version = ?", (schema,))
    before = path.read_bytes()
    with pytest.raises(Unreachable, match="optuna storage upgrade" if schema == 12 else "version"):
        view_on(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["o.db"]
