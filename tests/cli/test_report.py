"""`automl report` writes where it says, refuses what it cannot draw, and leaves the ledger alone."""

import hashlib
import json

import pytest
import stubs

from automl.cli.main import run
from automl.ledger import Home, Ledger


@pytest.fixture
def searched(tmp_path, monkeypatch):
    """The ledger of a search that has only begun."""
    home = Home(tmp_path / ".automl")
    home.create()
    folder = home.search("bowl-0")
    folder.create()
    ledger = Ledger.open(folder.ledger)
    ledger.begin(stubs.header("bowl-0"))
    ledger.close()
    return folder


def test_it_prints_where_the_report_is(searched, capsys, tmp_path):
    assert run(["report", "bowl-0"]) == 0
    path = capsys.readouterr().out.strip()
    assert path == "reports/bowl-0/index.html"
    assert "not finished</h1>" in (tmp_path / path).read_text()


def test_out_and_json(searched, capsys, tmp_path):
    assert run(["report", "bowl-0", "--out", "elsewhere.html", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": "elsewhere.html"}
    assert (tmp_path / "elsewhere.html").is_file()


def test_the_index_lists_all_searches(searched, capsys, tmp_path):
    assert run(["report", "--index"]) == 0
    path = capsys.readouterr().out.strip()
    assert path == "reports/index.html"
    assert "bowl-0" in (tmp_path / path).read_text()


def test_an_unknown_search_is_refused_with_the_nearest_name(searched, capsys):
    assert run(["report", "bowl-1"]) == 2
    assert "Did you mean 'bowl-0'?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["report"], ["report", "bowl-0", "--index"]])
def test_it_takes_a_search_or_the_index(searched, capsys, arguments):
    assert run(arguments) == 2
    assert "the name of a search, or --index" in capsys.readouterr().err


def test_drawing_changes_nothing_in_the_ledger(searched):
    before = hashlib.sha256(searched.ledger.read_bytes()).hexdigest()
    assert run(["report", "bowl-0"]) == 0
    assert hashlib.sha256(searched.ledger.read_bytes()).hexdigest() == before


def test_help_has_examples(capsys):
    assert run(["report", "--help"]) == 0
    assert "automl report --index" in capsys.readouterr().out
