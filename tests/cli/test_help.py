"""The help of each command: examples that are real commands, in the width of a terminal."""

from __future__ import annotations

import shlex

import pytest
from commands import COMMANDS, ROOT, examples, named

from automl.cli.main import run


def helped(path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*path, "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("path", COMMANDS, ids=named)
def test_help_has_an_example_and_fits_80_columns(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = helped(path, capsys, monkeypatch)
    assert f"Usage: {named(path)}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert examples(text, path)
    assert "…" not in text  # nothing was cut off


@pytest.mark.parametrize("path", COMMANDS, ids=named)
def test_an_example_is_a_command_that_parses(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for example in examples(helped(path, capsys, monkeypatch), path):
        words = shlex.split(example.partition(" < ")[0])[1:]
        command, context = ROOT, ROOT.make_context("automl", [*words])
        while hasattr(command, "commands"):
            name, command, words = command.resolve_command(context, words)
            context = command.make_context(name, [*words], parent=context)
        assert context.command_path.startswith(named(path))
