"""A search's folder: where its files are, and which of them are worth looking into."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.ledger import SearchFolder


@pytest.mark.parametrize(
    ("name", "text", "is_named"),
    [
        ("worker-1.log", "", False),
        ("mlflow.log", "up", False),
        ("worker-1.log", "Fatal Python error", True),
        ("server.log", "no module", True),
        ("trial-0-0-0.txt", "Traceback", True),
    ],
)
def test_logs_are_named_only_where_workers_left_a_word(tmp_path: Path, name: str, text: str, is_named: bool) -> None:
    folder = SearchFolder(tmp_path)
    folder.create()
    assert folder.where_workers_spoke == ""
    (folder.logs / name).write_text(text)
    assert folder.where_workers_spoke == (f"What workers said is in {folder.logs}." if is_named else "")
