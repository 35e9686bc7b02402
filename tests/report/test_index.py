"""The page over all searches: each has its row, whatever state it is in, and links lead to reports that are there."""

from contextlib import closing
from dataclasses import replace

import pytest
from samples import SLOTS, document, header

from automl.errors import ConfigError
from automl.ledger import Home, Ledger
from automl.report import build_index, build_report, read_material


@pytest.fixture
def home(tmp_path):
    """A finished search, an unfinished one and one that was never begun."""
    home = Home(tmp_path / ".automl")
    home.create()
    for name, attempts, result in (
        ("digits-0", SLOTS, document(report="reports/digits-0/index.html")),
        ("wine-1", SLOTS[:1], None),
    ):
        folder = home.search(name)
        folder.create()
        with closing(Ledger.open(folder.ledger)) as ledger:
            ledger.begin(header(name=name))
            for attempt in attempts:
                opened = ledger.open_attempt(replace(attempt, state="open", final=False, outcome=None, value=None))
                ledger.close_attempt(opened, attempt.outcome)
            if result:
                ledger.finish(result)
    folder = home.search("never")
    folder.create()
    Ledger.open(folder.ledger).close()
    return home


def test_every_search_that_was_begun_has_a_row(home, tmp_path):
    page = build_index(home, tmp_path / "reports" / "index.html").read_text()
    assert "2 searches" in page
    assert "better than default" in page
    assert "0.975 to 0.994" in page
    assert "not finished" in page
    assert "never" not in page


def test_a_link_leads_to_a_report_that_is_there(home, tmp_path):
    build_report(read_material(home.search("digits-0")), tmp_path / "reports" / "digits-0" / "index.html")
    page = build_index(home, tmp_path / "reports" / "index.html")
    assert '<a href="digits-0/index.html">digits-0</a>' in page.read_text()
    assert (page.parent / "digits-0/index.html").is_file()
    assert 'href="wine-1' not in page.read_text()


def test_a_damaged_ledger_does_not_hide_the_others(home, tmp_path):
    home.search("wine-1").ledger.write_text("no database at all, and longer than a header of one hundred bytes" * 9)
    page = build_index(home, tmp_path / "index.html").read_text()
    assert "1 search<" in page
    assert "wine-1: " in page


def test_a_home_without_searches_says_how_to_begin(tmp_path):
    assert "automl search digits" in build_index(Home(tmp_path / "none"), tmp_path / "index.html").read_text()


def test_an_unfinished_search_has_a_report_from_its_ledger_alone(home):
    material = read_material(home.search("wine-1"))
    assert material.document["slots"]["complete"] == 1
    assert len(material.trials.slots) == 1
    with pytest.raises(ConfigError, match="never begun"):
        read_material(home.search("never"))
