"""Control characters from data: never on a terminal, and whole in files and pipes."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import TextIO

import pytest

import automl.bundle
from automl.cli.main import run
from automl.cli.output import OnTerminal, print_error, print_json, print_lines

HOSTILE = "\x00\x1b[2J\r\n\x7f\x85\x9b31m\u061c\u200e\u202e\u2066\u2028\ud800"
SHOWN = r"\x00\x1b[2J\r\n\x7f\x85\x9b31m\u061c\u200e\u202e\u2066\u2028\ud800"


def test_a_document_escapes_controls_and_keeps_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    document = {f"klass {HOSTILE}": [HOSTILE, "größer 模型"]}
    print_json(document)
    printed = capsys.readouterr().out
    assert json.loads(printed) == document
    assert [letter for letter in HOSTILE if letter != "\n" and letter in printed and not letter.isalnum()] == ["["]
    assert "größer 模型" in printed


def test_lines_and_errors_show_controls_as_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines([HOSTILE])
    print_error(f"column {HOSTILE} not found.", f"Did you mean {HOSTILE}?")
    assert capsys.readouterr() == (f"{SHOWN}\n", f"error: column {SHOWN} not found. Did you mean {SHOWN}?\n")


def test_an_error_cannot_forge_a_line_by_the_name_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "rows\x1b]0;x\x07\r\nerror: none\x9b.csv"
    (tmp_path / name).write_text("a,b\n")
    assert run(["search", name, "--target", "\x1b[31mred\u202e"]) != 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not [letter for letter in said.rstrip("\n") if not letter.isprintable()]


def test_rows_keep_their_ends_on_a_terminal_and_nothing_else() -> None:
    stream = io.StringIO()
    csv.writer(OnTerminal(stream), lineterminator="\n").writerows([["a\nb\x1b", 1], ["c", 2]])  # type: ignore[arg-type]
    assert stream.getvalue() == '"a\\nb\\x1b",1\nc,2\n'


def test_predictions_are_escaped_for_a_terminal_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_rows(folder: Path, file: Path, stream: TextIO, tell: object, encoding: str) -> None:
        csv.writer(stream, lineterminator="\n").writerows([["prediction"], ["b\x1b[2J\x9b"], ["c\nd"]])

    monkeypatch.setattr(automl.bundle, "predict_file", write_rows)
    monkeypatch.setattr(automl.bundle, "resolve", lambda folder: folder)
    ours, theirs = os.openpty()
    for out in (str(tmp_path / "out.csv"), os.ttyname(theirs)):
        assert run(["predict", str(tmp_path), "rows.csv", "--out", out]) == 0
    assert (tmp_path / "out.csv").read_text() == 'prediction\nb\x1b[2J\x9b\n"c\nd"\n'
    assert os.read(ours, 65536).decode() == 'prediction\r\nb\\x1b[2J\\x9b\r\n"c\\nd"\r\n'
    os.close(ours)
    os.close(theirs)
