"""`automl searches` lists what can be listed, and says what to do about the rest."""

from __future__ import annotations

import io
import json
import shutil
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


def test_a_folder_that_no_search_made_does_not_hide_the_searches(capsys: pytest.CaptureFixture[str]) -> None:
    root = searched("bowl-0").root
    shutil.copytree(root, root.with_name("copy of bowl-0"))
    for command in ("searches list", "report --index", "models list"):
        assert run(command.split()) == 0, capsys.readouterr().err
    assert "copy of" not in capsys.readouterr().out


@pytest.mark.parametrize("result", [{}, {"slots": None}, {"slots": {"planned": 4}}, "text"])
def test_a_result_that_is_not_whole_is_said_and_does_not_hide_the_other_searches(
    result: object, capsys: pytest.CaptureFixture[str]
) -> None:
    searched("bowl-0")
    with closing(Ledger.open(searched("bowl-1").ledger)) as ledger:
        ledger.finish({"search": "bowl-1", **result} if isinstance(result, dict) else result)  # type: ignore[arg-type]
    for command in ("searches show bowl-1", "report bowl-1"):
        assert run(command.split()) == 5
        assert "The result of search 'bowl-1' is not whole (no " in capsys.readouterr().err
    assert run(["report", "--index"]) == 0
    assert run(["searches", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert [row["verdict"] for row in rows] == ["unfinished", "cannot be read"]


@pytest.mark.parametrize("command", ["searches show", "searches resume", "searches sync", "report"])
def test_a_search_that_was_never_begun_says_how_to_begin_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    searched("bowl-0", begun=False)
    assert run([*command.split(), "bowl-0"]) == 2
    said = "was never begun. Run its search command again, or delete it: automl searches delete bowl-0"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "is_deleted"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False)])
def test_a_search_is_deleted_where_a_person_agrees(
    answer: str, is_deleted: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = searched("bowl-0")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run(["searches", "delete", "bowl-0", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"search": "bowl-0", "deleted": is_deleted}
    assert "Delete" in printed.err
    assert folder.root.exists() != is_deleted


def test_where_nobody_answers_nothing_is_deleted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = searched("bowl-0")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["searches", "delete", "bowl-0"]) == 2
    assert "nobody answered, and nothing was deleted. To delete unasked, pass --yes." in capsys.readouterr().err
    assert folder.root.exists()


def test_ctrl_c_at_the_question_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            raise KeyboardInterrupt

    folder = searched("bowl-0")
    monkeypatch.setattr("sys.stdin", Interrupted())
    assert run(["searches", "delete", "bowl-0"]) == 130
    assert folder.root.exists()


def test_the_list_says_what_the_report_says_and_by_which_metric(capsys: pytest.CaptureFixture[str]) -> None:
    best = {"family": "mlp", "slot": 1, "params": {}, "validation": 1.0, "test": 139_216.4, "test_interval": [0, 1]}
    document = {
        "search": "bowl-0",
        "task": "bowl",
        "metric": "rmse",
        "direction": "minimize",
        "slots": {"planned": 4, "complete": 4, "pruned": 0, "failed": 0},
        "verdict": "not better than the default",
        "best": best,
        "default": {"slot": 1, "family": "mlp"},
        "baselines": {},
        "seconds": 1.0,
        "bundle": "exports/bowl/v-0",
        "report": "reports/bowl-0/index.html",
    }
    with closing(Ledger.open(searched("bowl-0").ledger)) as ledger:
        ledger.finish(document)
    searched("bowl-1")
    assert run(["searches", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["search", "task", "slots", "metric", "test", "verdict"],
        ["bowl-0", "bowl", "4/4", "rmse", "139,200", "the", "default", "itself", "won"],
        ["bowl-1", "bowl", "0/6", "-", "-", "unfinished"],
    ]
    assert run(["searches", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "search": "bowl-0",
        "task": "bowl",
        "slots": "4/4",
        "test": 139_216.4,
        "verdict": "not better than the default",
    }
