"""Help and errors as they leave the command: streams, width and exit codes. Each help is read in `tests/cli`, within this process."""

from __future__ import annotations

import json

import pytest
from command import Command
from commands import examples, named

from automl.cli.main import run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "words"),
    [
        (("search", "digit"), "ConfigError", 2, "Did you mean 'digits'?"),
        (("search", "digits", "--families", "mpl"), "ConfigError", 2, "Did you mean 'mlp'?"),
        (("search", "digits", "--trials", "0"), "ConfigError", 2, "--trials"),
        (("search", "digits", "--time", "0m"), "ConfigError", 2, "--time"),
        (("search", "digits", "--no-such-flag"), "UsageError", 2, "--no-such-flag"),
        (("searches", "show", "digits-1"), "ConfigError", 2, "digits-1"),
    ],
)
def test_an_error_is_one_document_or_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], kind: str, code: int, words: str
) -> None:
    assert run([*arguments, "--json"]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == kind
    assert set(error) == {"type", "message", "hint"}
    assert words in error["message"] + error["hint"]
    assert run([*arguments]) == code
    plain = capsys.readouterr()
    assert plain.out == ""
    assert plain.err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in plain.err


@pytest.mark.parametrize("as_json", [("--json",), ()])
def test_an_error_leaves_the_process_with_its_code(automl: Command, as_json: tuple[str, ...]) -> None:
    done = automl.run("searches", "show", "digits-1", *as_json)
    assert done.returncode == 2
    assert "digits-1" in (json.loads(done.stdout)["error"]["message"] if as_json else done.stderr)
    assert (done.stderr if as_json else done.stdout) == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [(), ("search",), ("models", "list")], ids=named)
def test_help_says_what_each_command_does(automl: Command, path: tuple[str, ...]) -> None:
    """The root, a verb and a noun's verb stand for all."""
    done = automl.run(*path, "--help", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: {named(path)}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert examples(done.stdout, path)
