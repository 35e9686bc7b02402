"""Pieces of words are learned by the library and cut by ourselves, into the same."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from automl.data import Schema, prepare, spec_for
from automl.data.subwords import fit_subwords, learned
from automl.encoding import BEGIN, LONGEST_WORD, Subwords, encoder_from, runs_of, tokens_of
from automl.errors import ConfigError, DataError
from automl.tasks import Column, load_task
from automl.tasks.catalog import require_tokenizers
from automl.tasks.own.choices import Choices
from automl.tasks.own.taskfile import task_file

STEMS = ("learn", "train", "read", "write", "größer", "naïv", "schnell", "модел", "計算", "a")
ENDS = ("", "s", "er", "ing", "ed", "est", "less", "fully", "ность")


def texts(seed: int, rows: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    made = [
        " ".join(str(rng.choice(STEMS)) + str(rng.choice(ENDS)) for _ in range(rng.integers(1, 12))) + " 12.5%!"
        for _ in range(rows)
    ]
    return np.array(made, dtype=object)


UNSEEN = (
    "Ünseen zebras retrained; re-reading İstanbul ﬁle",
    "",
    None,
    "ß" * 200,
    "🙂🙂 e\u0301te\u0301",
    "##ing # # ##",
    "learnlearn",
)


def test_new_rows_are_cut_as_the_library_cuts_them() -> None:
    train, test = texts(0), np.array([*texts(1), *UNSEEN], dtype=object)
    form = dataclasses.replace(fit_subwords(Column("t", "text"), train), length=1000)
    library = learned([[BEGIN + word for word in runs_of(text)] for text in train], 100)
    names = {piece: code for code, piece in enumerate(form.vocabulary, 2)}
    assert len(form.merges) > 30
    for text, codes in zip(test, form.encode(test).astype(int).tolist(), strict=True):
        cut = library.encode([BEGIN + word[:LONGEST_WORD] for word in runs_of(text or "")], is_pretokenized=True).tokens
        assert [code for code in codes if code] == [names.get(piece, 1) for piece in cut]


def test_a_word_that_is_new_is_made_of_known_pieces() -> None:
    form = fit_subwords(Column("t", "text"), np.array(["reading writer learning", "reader writing learner"] * 9))
    codes = form.encode(np.array(["learner reading", "zzz"], dtype=object)).astype(int)
    assert 1 not in codes[0]
    assert codes[1].tolist() == [form.vocabulary.index(BEGIN) + 2, 1, 1, 1, *[0] * (form.length - 4)]


def test_the_same_rows_teach_the_same_in_any_process() -> None:
    script = (
        "import numpy; from automl.data.subwords import fit_subwords; from automl.tasks import Column\n"
        f"rows = numpy.array({[str(one) for one in texts(0, 40)]!r}, dtype=object)\n"
        "print(ascii(fit_subwords(Column('t', 'text'), rows)))"
    )
    said = {subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(said) == 1


def test_they_travel_as_json() -> None:
    form = fit_subwords(Column("t", "text"), texts(0))
    schema = Schema("t", "classification", "text", "y", (form,), ("a", "b"))
    assert Schema.from_json(schema.to_json()) == schema
    assert schema.shape == (form.length,)
    assert schema.vocabulary == len(form.vocabulary) + 2
    assert encoder_from(json.loads(json.dumps({"kind": form.kind, **dataclasses.asdict(form)}))) == form


@pytest.mark.parametrize("merges", [[["a"]], [["a", "z"]], [["a", "b", "c"]], [1], [[1, 2]]])
def test_joins_that_lead_nowhere_are_refused(merges: list[object]) -> None:
    form = Subwords("t", ("a", "b", "ab"), 8, (("a", "b"),))
    document = json.loads(Schema("t", "classification", "text", "y", (form,), ("a", "b")).to_json())
    document["encoders"][0]["merges"] = merges
    with pytest.raises(DataError):
        Schema.from_json(json.dumps(document))


def test_what_speaks_for_a_prediction_is_told_per_word() -> None:
    form = Subwords("t", ("▁", "a", "b", "ab", "▁ab"), 8, (("a", "b"), ("▁", "ab")))
    assert form.encode(np.array(["ab aba Z"], dtype=object))[0].tolist() == [6, 6, 3, 2, 1, 0, 0, 0]
    assert form.by_word("ab aba Z", np.array([1.0, 2.0, 3.0, 4.0, 5.0])).tolist() == [1, 5, 9]
    assert form.by_word("", np.zeros(0)).tolist() == []


def test_a_piece_of_several_characters_that_are_words_counts_to_the_first() -> None:
    form = Subwords("t", ("▁", "我", "喜", "欢", "喜欢"), 8, (("喜", "欢"),))
    assert form.encode(np.array(["我喜欢 欢"], dtype=object))[0].tolist() == [2, 3, 6, 2, 5, 0, 0, 0]
    assert form.by_word("我喜欢 欢", np.array([1.0, 2.0, 4.0, 8.0, 16.0])).tolist() == [3, 4, 0, 24]


def test_a_million_words_and_one_word_without_end_take_a_moment() -> None:
    form = fit_subwords(Column("t", "text"), texts(0))
    long = " ".join(texts(2))
    rows = np.array([*[long] * (1_000_000 // len(tokens_of(long)) + 1), "x" * 1_000_000], dtype=object)
    began = time.process_time()
    dataclasses.replace(form, length=5000).encode(rows)
    assert time.process_time() - began < 3


def folder(root: Path) -> Path:
    for place, text in enumerate(texts(0, 120)):
        path = root / "data" / ("yes" if "ing" in text else "no") / f"{place}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{place} {text}")
    (root / "task.yaml").write_text("path: data\ntokens: subwords\n")
    return root / "task.yaml"


def test_a_task_file_asks_for_them(tmp_path: Path) -> None:
    task = load_task(str(folder(tmp_path)))
    prepared = prepare(task, seed=0, data_folder=tmp_path / "prepared")
    assert isinstance(form := prepared.schema.encoders[0], Subwords)
    assert spec_for(task, prepared).input.cardinality == form.size
    (tmp_path / "again.yaml").write_text(task_file(task, tmp_path, 120))
    assert load_task(str(tmp_path / "again.yaml")).tokens == "subwords"
    (tmp_path / "task.yaml").write_text("path: data\n")
    assert load_task(str(tmp_path / "task.yaml")).tokens == "words"


def test_a_table_without_a_whole_text_has_no_pieces(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,y\n" + "".join(f"{row * row % 17 / 4},{row % 2}\n" for row in range(100)))
    (tmp_path / "d.yaml").write_text("path: d.csv\ntarget: y\ntokens: subwords\n")
    with pytest.raises(ConfigError, match="'tokens: subwords' is for texts that are the whole input"):
        load_task(str(tmp_path / "d.yaml"))


def test_without_the_extra_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs tokenizers, which is not installed") as caught:
        require_tokenizers(Path("task.yaml"), Choices(tokens="subwords"))
    assert "pip install 'automl-search[subwords]'" in str(caught.value.hint)
