"""Every command that README and the pages of `automl/docs` show is run, in order, and prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest

import automl

ROOT = Path(automl.__file__).parent.parent
PAGES = sorted((ROOT / "automl" / "docs").glob("*.md"))


@pytest.mark.proof  # minutes, for all of them
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_prints_what_its_page_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    for name, content in pages.files(text).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    for step in pages.steps(text):
        printed = pages.run(step, tmp_path)
        assert pages.is_as_shown(step, printed), f"$ {step.command}\n--- shown\n{step.expected}\n--- printed\n{printed}"


def test_a_command_has_its_continuation_exit_code_and_output() -> None:
    page = "```console\n$ one \\\n    --two   # exit 2\nerror: 12 rows\n$ three\n```\n"
    first, second = pages.steps(page)
    assert first.command.split() == ["one", "--two", "#", "exit", "2"]
    assert (first.exit_code, first.expected, second.command, second.exit_code) == (2, "error: 12 rows\n", "three", 0)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("accuracy 0.98\n", "accuracy 0.9712\n", True),
        ("digits: ...\nnext: automl\n", "digits: 3 of 4\nmuch\nnext: automl\n", True),
        ("better\n", "worse\n", False),
        ("", "anything", True),
    ],
)
def test_numbers_may_differ_and_words_may_not(shown: str, printed: str, same: bool) -> None:
    assert pages.is_as_shown(pages.Step("x", shown, 0, False), printed) is same


def test_the_reference_is_what_help_and_docstrings_say() -> None:
    import reference

    assert reference.page() == (ROOT / "automl" / "docs" / "reference.md").read_text(), "run: make docs"
