"""`automl searches` lists what can be listed, and says what to do about the rest."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
import stubs

from automl.cli.main import run
from automl.ledger import Home, Ledger, SearchFolder


def searched(name: str, *, begun: bool = True) -> SearchFolder:
    """The ledger of a search that has only begun, or not even that."""
    home = Home.from_environment()
    home.create()
    folder = home.search(name)
    folder.create()
    with closing(Ledger.open(folder.ledger)) as ledger:
        if begun:
            ledger.begin(stubs.header(name))
    return folder


def test_a_damaged_ledger_does_not_hide_the_other_searches(capsys: pytest.CaptureFixture[str]) -> None:
    searched("bowl-0")
    searched("bowl-1").ledger.write_text("no database at all, and longer than a header of one hundred bytes" * 9)
    assert run(["searches", "list", "--json"]) == 0
    printed = capsys.readouterr()
    assert {row["search"]: row["verdict"] for row in json.loads(printed.out)} == {
        "bowl-0": "unfinished",
        "bowl-1": "cannot be read",
    }
    assert "bowl-1/ledger.db is not a database" in printed.err
    assert "automl doctor" in printed.err


@pytest.mark.parametrize("command", ["searches show", "searches resume", "searches sync", "report"])
def test_a_search_that_was_never_begun_says_how_to_begin_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    searched("bowl-0", begun=False)
    assert run([*command.split(), "bowl-0"]) == 2
    said = "was never begun. Run its search command again, or delete it: automl searches delete bowl-0"
    assert said in capsys.readouterr().err
