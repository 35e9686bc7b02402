"""The words a person types: completed by the shell, and corrected where they are nearly right."""

from __future__ import annotations

import pytest

from automl.cli.main import run


def test_completion_is_no_broken_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_AUTOML_COMPLETE": "complete_bash", "COMP_WORDS": "automl sear", "COMP_CWORD": "1"}.items():
        monkeypatch.setenv(name, value)
    assert run([]) == 0
    assert capsys.readouterr().out.split() == ["search", "searches"]


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("serch digits", "'search'"),
        ("searches lst", "'list'"),
        ("search digits --trails 3", "--trials"),
        ("search digts", "'digits'"),
        ("search digits --families mpl", "'mlp'"),
        ("search digits --metric acuracy", "'accuracy'"),
        ("search digits --sampler tpee", "'tpe'"),
        ("search digits --pruner medain", "'median'"),
        ("search digits --set mpl.lr=1", "'mlp'"),
        ("search digits --set mlp.lrr=1", "'lr'"),
        ("search digits --set mlp.optimizer=adm", "'adam'"),
        ("families show mpl", "'mlp'"),
        ("tasks show digts", "'digits'"),
    ],
)
def test_a_word_nearly_right_is_answered_with_the_nearest(
    line: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*line.split()]) == 2
    assert near in capsys.readouterr().err.splitlines()[-1]
