"""The report: one file, nothing remote, no script, nothing of the user's text becomes markup; small and quick at 1,000 slots."""

import base64
import dataclasses
import hashlib
import html
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from samples import PARAMS, SLOTS, attempt, coloured, document, header, heated, important, material, score, thousand

from automl.errors import StorageError
from automl.ledger import SearchFolder
from automl.report import build_report, gather
from automl.report.page import render
from automl.report.tables import MOST_SLOTS

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onload='x",
    "{{ 7*7 }}",
    "</title></style><b>",
]


class _Elements(HTMLParser):
    """Collects what a browser would make of the page: elements, and names and values of attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


@pytest.fixture
def rich(tmp_path):
    """A page with every section."""
    target, prediction = np.array([0, 1, 2, 1]), np.eye(3)[[0, 1, 1, 1]] * 0.8 + 0.05
    scored = score(
        tmp_path, target, prediction, heated(np.zeros((2, 1, 8, 8)), [2, 0]),
        labels=np.array(["ant", "bee", "cat"]), rows=np.array([2]),
    )  # fmt: skip
    varied = [attempt(n, 0.8 + n / 100, params={**PARAMS, "depth": n % 4, "lr": 10.0**-n}) for n in range(4, 24)]
    return render(material([*SLOTS, *varied, scored], tmp_path))


def test_the_verdict_comes_first_and_the_numbers_follow():
    page = render(material())
    body = page[page.index("<body>") :]
    places = [body.index(text) for text in ("better than default", "0.986", "0.975 to 0.994", "0.9740", "diverged")]
    assert places == sorted(places)


def test_a_finished_search_has_every_section(rich):
    sections = ("results", "progress", "parameters", "test", "why", "slots", "cost", "again")
    for name in sections:
        assert f'id="{name}"' in rich
        assert f'href="#{name}"' in rich


@pytest.mark.parametrize(("readings", "said"), [(None, "read once,"), (1, "read once,"), (2, "read 2 times,")])
def test_it_says_how_often_the_test_rows_were_read(readings, said):
    assert said in render(material(test_readings=readings))


def test_nothing_is_remote_and_no_script_runs(rich):
    found = _Elements(rich)
    assert not {"script", "link", "iframe", "object", "form", "base"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    for name, value in found.attributes:
        if name in ("src", "href"):
            assert value.startswith("data:image/png;base64," if name == "src" else "#")
    assert "http" not in rich.replace("http-equiv", "")


def test_the_policy_allows_the_pages_own_style_and_nothing_else(rich):
    policy = next(value for name, value in _Elements(rich).attributes if name == "content" and "default-src" in value)
    style = rich[rich.index("<style>") + len("<style>") : rich.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_user_stays_text(text, tmp_path):
    def page(word, number="0"):
        slots = [
            attempt(0, params={word: 1.0}),
            *(attempt(n, 0.9, family=word, params={word: n, "c": f"{word}{n}"}) for n in (1, 2)),
        ]
        slots.append(attempt(3, None, "failed", family=word, reason=word))
        target, prediction = np.array([0, 1]), np.array([[0.2, 0.8], [0.3, 0.7]])
        scored = score(
            tmp_path, target, prediction, {**important(word, f"{word}{number}"), **coloured([word], [[1.0]], [0]), "note": word},
            labels=np.array([word, f"{word}{number}"]),
            inputs=np.ones((1, 2)), columns=np.array([word, word]), means=np.zeros(2), scales=np.ones(2),
        )  # fmt: skip
        names = dict.fromkeys(("search", "task", "metric", "verdict", "bundle"), word)
        gains = {word: [0.1, 0.0, 0.2]}
        of = header(
            task={**header().task, "name": word},
            spaces={word: {}},
            code={"versions": {word: word}, "families": {word: word}},
        )
        return render(
            material([*slots, scored], tmp_path, of, **names, baselines={word: 0.5}, test_gains=gains, reasons=[word])
        )

    plain, found = _Elements(page("plain")), _Elements(page(text))
    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert text in html.unescape(page(text))


def test_invisible_characters_are_shown_by_their_code():
    page = render(material([attempt(0, params={"a\u202eb": "c\x1b[2Jd"})], verdict="better\u2066"))
    assert not {"\u202e", "\x1b", "\u2066"} & set(page)
    assert "a\\x202eb" in page


@pytest.mark.parametrize(
    "slots",
    [
        [],
        [attempt(0)],
        [attempt(0, None, "failed")],
        [attempt(0, 0.5, "pruned")],
        [attempt(n, 0.5) for n in range(20)],
        [attempt(n, 0.0, params={}) for n in range(20)],
        [attempt(n, value) for n, value in enumerate((1e30, -1e30, 1e-30, 0.0))],
    ],
    ids=["none", "one", "failed", "pruned", "equal", "no parameters", "wild"],
)
def test_a_search_that_found_little_has_a_report_too(slots):
    nothing = dict.fromkeys(("best", "default", "baselines", "verdict", "bundle", "reasons", "confirmed", "test_gains"))
    assert "not finished</h1>" in render(material(slots, **nothing))


def test_a_search_without_optional_fields_has_a_report_too(tmp_path):
    assert "not finished</h1>" in render(gather(header(), SLOTS, SearchFolder(tmp_path)))


def test_a_thousand_slots_take_less_than_600_kb_and_3_seconds(tmp_path):
    rng = np.random.default_rng(0)
    prediction = rng.dirichlet(np.ones(10), 2000)
    labels = np.array([f"class {place}" for place in range(10)])
    pictures = rng.normal(size=(12, 3, 64, 64))
    explained = heated(pictures[:8], range(8)) | important(*(f"column {place}" for place in range(50)))
    target = rng.integers(0, 10, 2000)
    scored = score(tmp_path, target, prediction, explained, labels=labels, rows=np.arange(12), inputs=pictures)
    attempts = [*thousand(), scored]
    began = time.perf_counter()
    path = build_report(material(attempts, tmp_path), tmp_path / "index.html")
    seconds = time.perf_counter() - began
    print(f"\n{path.stat().st_size / 1000:.0f} kB in {seconds:.2f} s")
    assert path.stat().st_size < 600_000
    assert seconds < 3


def test_a_long_search_shows_its_best_slots():
    slots = [attempt(number, number / 5000, steps=1) for number in range(MOST_SLOTS + 500)]
    page = render(material(slots))
    assert page.count("<th scope=row>") == MOST_SLOTS
    assert f"The best {MOST_SLOTS} of {MOST_SLOTS + 500}" in page
    assert f"<th scope=row>{MOST_SLOTS + 499}<" in page


def test_the_report_is_written_whole_over_an_older_one(tmp_path):
    path = tmp_path / "reports" / "digits-0" / "index.html"
    assert build_report(material(), path) == path
    build_report(material(verdict="a linear model is better: use it"), path)
    assert "a linear model is better: use it" in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]


@pytest.mark.parametrize(("slot", "said"), [(3, "the default itself won"), (4, "not better than the default")])
def test_a_default_that_won_is_not_said_to_be_no_better_than_itself(slot, said):
    default = {"slot": slot, "family": "mlp", "validation": 0.9}
    found = material(verdict="not better than the default", best={**document()["best"], "slot": 3}, default=default)
    assert f">{said}</h1>" in render(found)


def test_a_report_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(StorageError, match="report"):
        build_report(material(), tmp_path / "reports" / "index.html")


def with_data(tmp_path, **data):
    made = material(SLOTS, tmp_path)
    more = {"rows": 90, "parts": {"train": 60, "validation": 15, "test": 15}, "features": 2, "left_out": 1, **data}
    return render(dataclasses.replace(made, header=dataclasses.replace(made.header, data=made.header.data | more)))


@pytest.mark.parametrize(
    ("direction", "edge"), [("maximize", "far below lie on the lower"), ("minimize", "far above lie on the upper")]
)
def test_the_page_names_the_edge_where_bad_values_lie(direction, edge):
    page = render(gather(header(), SLOTS, SearchFolder(Path("none")), document(direction=direction)))
    assert f"Values {edge} edge." in page
    assert page.count(" edge.") == 1


@pytest.mark.parametrize(("phases", "is_said"), [({"search": 18.4}, True), ({"search": 18.4, "sync": 2.0}, False)])
def test_a_page_that_was_drawn_before_the_end_says_that_its_time_is_not_all(phases, is_said):
    assert ("comes after this page was drawn, on top." in render(material(phases=phases))) == is_said


def column(name, kind="number", **more):
    return {"name": name, "kind": kind, "why": "", "gaps": 0.0, "filled": "the mean", "features": 1, **more}


def test_the_page_says_what_was_left_out_and_filled_in(tmp_path):
    found = [column("age", gaps=0.125, filled="the mean, marked"), column("id", "left out", features=0)]
    said = ["3 rows without a target were left out.", "Left out: id (a count).", "Missing values are filled in, and"]
    page = with_data(tmp_path, columns=found, warnings=said)
    assert '<a href="#data">' in page
    assert "3 rows without a target were left out." in page
    assert "Left out: id" not in page  # the table says it
    assert "Missing values" not in page
    assert '<td class="n">12.5%</td><td>the mean, marked</td>' in page
    assert "<details open>\n<summary>Columns" in page


def test_a_long_table_of_columns_is_folded_away(tmp_path):
    page = with_data(tmp_path, columns=[column(f"c{place}") for place in range(1000)], features=3000)
    assert "<details>\n<summary>Columns" in page
    assert "The first 1000 columns." in page
    assert len(page) < 400_000


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_columns_and_warnings_stay_text(tmp_path, name):
    made = _Elements(with_data(tmp_path, columns=[column(name, why=name)], warnings=[name]))
    assert not {"script", "img"} & set(made.tags)
    assert not [key for key, _ in made.attributes if key.startswith("on")]


def test_a_search_of_an_older_version_has_no_such_section(tmp_path):
    assert 'id="data"' not in render(material(SLOTS, tmp_path))


def test_a_page_says_which_values_are_of_one_fold_and_which_of_all(tmp_path):
    parts = {"train": 60, "validation": 15, "test": 15}
    one_part, page = (
        render(material(SLOTS, tmp_path, header(data={**header().data, "parts": parts, "folds": folds})))
        for folds in (0, 5)
    )
    assert "folds" not in one_part
    assert "Validation accuracy, first of 5 folds." in page
    assert "Trials are validated in 5 folds" in page
    assert "accuracy of a pruned slot is of the first of 5 folds" in page


@pytest.mark.parametrize(
    ("taken", "sure", "head"),
    [(1, 0.9, "Most wrong"), (0, 0.9, "Least sure"), (0, 0.999, ""), (1, 0.999, "Most wrong")],
)
def test_rows_that_are_all_right_are_the_least_sure_ones_and_sure_ones_are_left_out(tmp_path, taken, sure, head):
    prediction = np.full((1, 2), 1 - sure)
    prediction[0, taken] = sure
    scored = score(tmp_path, np.array([0]), prediction, labels=np.array(["ant", "bee"]))
    page = render(material([*SLOTS, scored], tmp_path))
    assert [one for one in ("Most wrong", "Least sure") if f"<h3>{one}</h3>" in page] == [head][: bool(head)]
    assert ('class="examples' in page) is bool(head)


@pytest.mark.parametrize(("slots", "shown"), [(4, False), (5, True)])
def test_parameters_of_a_family_with_few_slots_are_not_drawn(slots, shown):
    page = render(material([attempt(n, 0.8 + n / 100, params={"depth": n}) for n in range(slots)]))
    assert ("Parallel coordinates" in page) is shown


@pytest.mark.parametrize(("later_ms", "resumed"), [(0, False), (3_600_000, True)])
def test_seconds_after_a_resume_are_those_of_the_last_run(later_ms, resumed):
    last = attempt(4)
    moved = dataclasses.replace(last, opened_ms=last.opened_ms + later_ms, closed_ms=last.closed_ms + later_ms)
    page = render(material([*SLOTS, moved]))
    assert ("in its last run; 402 epochs in all" in page) is resumed
    assert ("By the clock, in its last run: start" in page) is resumed
