import socket
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from automl.tracking.uri import artifact_location, database_path, obstacle, redact, tracking_uri, without_credentials

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


SECRET = "S3/cr3t'xyz q\"u?i#e@t"
HIDDEN = ("cr3t", "xyz", "u?i", "S3", "e@t")


@pytest.mark.parametrize("form", ["postgresql://me:{}@host:9/db", "http://{}@host", "postgresql://host/db?password={}"])
def test_no_part_of_a_known_address_password_shows_whatever_it_holds(form, monkeypatch):
    uri = form.format(SECRET)
    texts = [f"no {uri!r}", f"no {uri}", f"{SECRET!r} is wrong", "port 'S3' and cr3t in 'xyz'"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for text in texts:
        for shown in (redact(text), redact(text, uri)):
            assert not [word for word in HIDDEN if word in shown], shown
    assert redact("connection refused, cr3ts", uri) == "connection refused, cr3ts"


def test_a_password_with_odd_characters_is_hidden_in_an_address_that_nobody_named():
    assert redact("at postgresql://me:S3/cr3t'x@h/d, again") == "at postgresql://***@h/d, again"
    assert redact("sqlite:////home/a:b@c/mlflow.db") == "sqlite:////home/a:b@c/mlflow.db"
    assert redact("http://h/?a=1&access_token=S3cr3t&b=2") == "http://h/?a=1&access_token=***&b=2"


def test_a_folder_with_an_at_sign_is_no_password(tmp_path):
    uri = tracking_uri({}, tmp_path / "a@b")
    assert redact(f"{uri} is locked", uri) == f"{uri} is locked"


def test_a_link_to_a_server_holds_no_credentials():
    assert without_credentials("http://me:S3/cr3t@host:5000/x/?token=a#b") == "http://host:5000/x"
    assert without_credentials("https://host/") == "https://host"


def test_a_database_is_reached_whose_password_has_a_slash_and_a_server_is_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert obstacle(f"postgresql://me:S3/cr3t@{place}/db") is None
        assert "%2F" in obstacle(f"http://me:S3/cr3t@{place}")


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
