"""The names of searches that are refused: each becomes a folder, a tag and a part of other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.cli.main import run
from automl.config import check_name
from automl.errors import ConfigError

HOSTILE = (
    "", " ", "../x", "/etc", "a/b", "a\\b", "..", ".", ".hidden", "a..b", "a.", "a\n", "a\x00b", "a\x1b[31m", "a\u202eb", "-rf",
    "--yes", "_x", "~", "a b", "a'b", "a;b", "ü", "a" * 101, "a" * 300,
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_no_safe_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="A name is 1 to 100 letters"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "0", "wine-0", "My.search_2", "a" * 100])
def test_a_plain_name_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\0" not in name])
def test_no_search_of_a_hostile_name_writes_anything(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["search", "wine", f"--name={name}"], ["searches", "delete", "--yes", "--", name]):
        assert run(command) == 2
        said = capsys.readouterr().err
        assert "A name is 1 to 100 letters" in said
        assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
