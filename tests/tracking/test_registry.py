"""The registry on a real MLflow: one version per bundle whatever is killed when, and an alias that moves by rule."""

import dataclasses
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from exported import bundled

from automl.bundle import check_bundle, load_model
from automl.errors import ConfigError, StorageError
from automl.tracking import exports, registering, registry
from automl.tracking.mlflow_store import connect
from automl.tracking.registering import Entry
from automl.tracking.view import Misplaced

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What a kill -9 leaves behind, at the call where it is raised."""


class Mortal:
    """A client that dies at its n-th changing call, before or after the call took effect."""

    def __init__(self, client, at, when):
        self._client, self._left, self._when = client, at, when

    def __getattr__(self, name):
        method = getattr(self._client, name)
        if not name.startswith(("create_", "log_", "finalize_", "set_")):
            return method
        return lambda *args, **kwargs: self._call(method, args, kwargs)

    def _call(self, method, args, kwargs):
        self._left -= 1
        if self._left == 0 and self._when == "before":
            raise Killed
        result = method(*args, **kwargs)
        if self._left == 0:
            raise Killed
        return result


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    return connect(f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Three bundles of one task: other seeds make other digests."""
    return [bundled(tmp_path_factory.mktemp(f"bundle{seed}"), seed=seed) for seed in range(3)]


@pytest.fixture
def run(client, tmp_path):
    experiment = client.create_experiment(tmp_path.name, artifact_location=(tmp_path / "artifacts").as_uri())
    return client.create_run(experiment).info


@pytest.fixture
def register(client, run, tmp_path):
    """Register a bundle under the test's own name."""

    def register(bundle, champion_was=None, moves=True, through=client, digest=None):
        digest = digest or check_bundle(bundle).digest
        entry = Entry(tmp_path.name, bundle, digest, {"search": "s"}, {"test": 0.5}, 5, champion_was, moves)
        return registering.register(
            through, entry, experiment=run.experiment_id, run=run.run_id, check=lambda what, where: None
        )

    return register


def test_a_version_serves_the_numbers_of_the_bundle(client, run, register, bundles):
    import mlflow

    version = register(bundles[0])
    assert (version.number, version.champion) == (1, True)
    frame = pd.DataFrame(np.arange(26).reshape(2, 13), columns=list(load_model(bundles[0]).schema.columns))
    mlflow.set_tracking_uri(client.tracking_uri)
    served = mlflow.pyfunc.load_model(f"models:/{version.name}@champion").predict(frame[frame.columns[::-1]])
    expected = load_model(bundles[0]).predict_proba(frame.to_numpy())
    assert list(served.columns) == ["prediction", "p_class_0", "p_class_1", "p_class_2"]
    assert np.abs(served.iloc[:, 1:].to_numpy(dtype=float) - expected).max() < 1e-6
    (model,) = client.search_logged_models([run.experiment_id])
    assert client.get_run(run.run_id).outputs.model_outputs[0].model_id == model.model_id
    assert {metric.key: metric.value for metric in model.metrics} == {"test": 0.5}


def test_the_same_bundle_again_is_the_same_version_and_undoes_no_choice(client, register, bundles):
    first, second = register(bundles[0]), register(bundles[1], champion_was=1)
    assert (second.number, second.champion) == (2, True)
    registry.rollback(client, first.name)
    assert register(bundles[1], champion_was=1).champion is False
    assert [each.number for each in registry.versions(client, first.name) if each.champion] == [1]


def test_the_alias_stays_where_the_gate_or_a_person_holds_it(client, register, bundles):
    name = register(bundles[0]).name
    assert not register(bundles[1], champion_was=1, moves=False).champion
    registry.promote(client, name, 2)  # meanwhile, and the third was compared with version 1
    assert not register(bundles[2], champion_was=1).champion
    assert registry.champion(client, name).number == 2


def test_rollback_goes_back_step_by_step_and_says_where_it_ends(client, register, bundles):
    name = register(bundles[0]).name
    for number, bundle in enumerate(bundles[1:], start=1):
        register(bundle, champion_was=number)
    assert [registry.rollback(client, name).number for _ in range(2)] == [2, 1]
    with pytest.raises(ConfigError, match="took nobody's place"):
        registry.rollback(client, name)


def test_what_is_not_there_is_named(client, register, bundles):
    name = register(bundles[0]).name
    with pytest.raises(ConfigError, match="no version '7'"):
        registry.pick(client, name, "7")
    with pytest.raises(ConfigError, match="Did you mean"):
        registry.versions(client, name + "x")
    assert registry.champion(client, "nobody") is None


def test_a_fetched_bundle_is_the_registered_one_or_refused(client, register, bundles, tmp_path):
    version = register(bundles[0])
    place = registry.fetch(client, version, tmp_path / "exports", tmp_path / "models")
    assert check_bundle(place).digest == version.digest
    (place / "weights.safetensors").write_bytes(b"damage")
    assert registry.fetch(client, version, tmp_path / "exports", tmp_path / "models") == place
    assert check_bundle(place).digest == version.digest
    shutil.rmtree(place)
    stranger = dataclasses.replace(version, tags={registry.BUNDLE: "0" * 64})
    with pytest.raises(StorageError, match="another bundle"):
        registry.fetch(client, stranger, tmp_path / "exports", tmp_path / "models")


def test_the_champion_is_at_hand_even_when_a_later_export_removes_it(client, register, bundles, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    version = register(bundles[0])
    folder, into = f"v-{version.digest[:12]}", tmp_path / "into"
    shutil.copytree(bundles[0], exports.EXPORTS / version.name / folder)
    told = exports.champion(client, version.name, {"into": str(into)})
    assert told == {"version": 1, "folder": folder, "trouble": ""}
    shutil.rmtree(exports.EXPORTS)
    assert check_bundle(into / folder).digest == version.digest


def test_a_champion_whose_bundle_cannot_be_had_is_still_the_champion(client, run, tmp_path):
    client.create_registered_model(tmp_path.name)
    client.create_model_version(tmp_path.name, "file:///somewhere", run_id=run.run_id)
    client.set_registered_model_alias(tmp_path.name, registry.CHAMPION, "1")
    told = exports.champion(client, tmp_path.name, {"into": str(tmp_path / "into")})
    assert (told["version"], told["folder"]) == (1, None)
    assert "holds no bundle" in told["trouble"]


def test_nothing_is_written_where_a_logged_model_may_not_keep_its_files(client, run, tmp_path, bundles):
    def refuse(what, where):
        raise Misplaced(f"{what} in {where}")

    entry = Entry(tmp_path.name, bundles[0], check_bundle(bundles[0]).digest, {}, {}, 5, None, True)
    with pytest.raises(Misplaced, match="logged model m-"):
        registering.register(client, entry, experiment=run.experiment_id, run=run.run_id, check=refuse)
    assert not (tmp_path / "artifacts").exists()


def test_a_version_that_something_else_registered_holds_no_bundle(client, run, tmp_path):
    client.create_registered_model(tmp_path.name)
    client.create_model_version(tmp_path.name, "file:///somewhere", run_id=run.run_id)
    with pytest.raises(ConfigError, match=r"version 1 of '.*' holds no bundle: automl did not register it"):
        registry.fetch(client, registry.versions(client, tmp_path.name)[0], tmp_path / "exports", tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_pickle_that_somebody_registered_is_not_opened(client, tmp_path):
    import mlflow

    class Hostile(mlflow.pyfunc.PythonModel):
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "opened"),))

        def predict(self, context, model_input, params=None):
            return model_input

    mlflow.pyfunc.save_model(tmp_path / "model", python_model=Hostile(), pip_requirements=[])
    shutil.rmtree(tmp_path / "opened", ignore_errors=True)
    connect(client.tracking_uri)
    with pytest.raises(mlflow.MlflowException, match=r"(?i)pickle"):
        mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert not (tmp_path / "opened").exists()


def test_a_bundle_that_is_gone_is_a_storage_error(register, tmp_path, bundles):
    copy = shutil.copytree(bundles[0], tmp_path / "copy")
    (copy / "weights.safetensors").unlink()
    with pytest.raises(StorageError):
        register(copy)


def test_a_bundle_that_another_took_the_place_of_is_not_registered_under_its_digest(
    client, register, tmp_path, bundles
):
    place, told = tmp_path / "v-0", check_bundle(bundles[0]).digest
    shutil.copytree(bundles[1], place)
    with pytest.raises(StorageError, match="not the one that this search exported"):
        register(place, digest=told)
    assert registry.champion(client, tmp_path.name) is None


KILLS = [(number, when) for number in range(1, 11) for when in ("before", "after") if (number, when) != (1, "after")]
"""At each call that changes something when a second version takes the first one's place; the first call finds its work done."""


@pytest.mark.parametrize(("number", "when"), KILLS)
def test_a_kill_at_any_call_leaves_one_version_and_one_champion(client, run, register, bundles, number, when):
    name = register(bundles[0]).name
    with pytest.raises(Killed):
        register(bundles[1], champion_was=1, through=Mortal(client, number, when))
    version = register(bundles[1], champion_was=1)
    assert (version.number, version.champion) == (2, True)
    assert [each.number for each in registry.versions(client, name)] == [2, 1]
    assert registry.rollback(client, name).number == 1
    assert len({output.model_id for output in client.get_run(run.run_id).outputs.model_outputs}) == 2
