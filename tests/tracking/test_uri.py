import socket
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from automl.tracking.uri import artifact_location, database_path, obstacle, redact, tracking_uri

NAMES = ("plain", "a b", "a#b", "50%20x%", "what?", "ü ñ模型", "q'a\"b", "{x}", "ü ñ'a' \"b\" #%3F?{}")


def test_the_environment_decides_before_the_folder():
    assert tracking_uri({"MLFLOW_TRACKING_URI": "http://host:5000"}, Path("/x")) == "http://host:5000"
    assert tracking_uri({"MLFLOW_TRACKING_URI": " "}, Path("/x")) == "sqlite:////x/mlflow.db"
    assert tracking_uri({}, Path("/x")) == "sqlite:////x/mlflow.db"


@pytest.mark.parametrize("name", NAMES)
def test_any_folder_name_survives_in_the_address(tmp_path, name):
    uri = tracking_uri({}, tmp_path / name)
    assert make_url(uri).database == str(tmp_path / name / "mlflow.db")
    assert database_path(uri) == tmp_path / name / "mlflow.db"


def test_only_a_local_store_is_told_where_artifacts_go(tmp_path):
    assert artifact_location(tracking_uri({}, tmp_path), tmp_path, "digits") == (tmp_path / "mlruns/digits").as_uri()
    assert artifact_location("http://host", tmp_path, "digits") is None


def test_a_password_never_shows():
    assert (
        redact("at http://me:S3cr3t@host:1/x and postgresql://u:p@h/d")
        == "at http://***@host:1/x and postgresql://***@h/d"
    )
    assert redact("http://host:5000/a@b") == "http://host:5000/a@b"


def test_nothing_stands_in_the_way_of_a_new_or_an_old_file(tmp_path):
    uri = tracking_uri({}, tmp_path)
    assert obstacle(uri) is None
    (tmp_path / "mlflow.db").touch()
    assert obstacle(uri) is None


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"precious" * 1000)
    assert "not a database" in obstacle(tracking_uri({}, tmp_path))
    assert (tmp_path / "mlflow.db").read_bytes() == b"precious" * 1000


def test_a_missing_folder_is_named(tmp_path):
    assert "gone" in obstacle(tracking_uri({}, tmp_path / "gone"))


def test_a_closed_port_is_noticed_and_an_open_one_is_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert obstacle(uri) is None
    assert "refused" in obstacle(uri)
