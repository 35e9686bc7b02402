"""The report: one file, nothing remote, no script, nothing of the user's text becomes markup."""

import html
import math
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from automl.errors import StorageError
from automl.report import build_report
from automl.report.figures import best_so_far, learning_curves
from automl.report.page import MOST_SLOTS, render

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onload='x",
    "{{ 7*7 }}",
]


def _slot(number: int, value: float | None = 0.9, state: str = "complete", family: str = "mlp", **more) -> dict:
    curve = [] if value is None else [[step, value - 0.3 / step] for step in range(1, 6)] + [[6, value]]
    return {
        "slot": number,
        "family": family,
        "state": state,
        "params": {"lr": 0.00123456, "depth": 2, "optimizer": "adamw"},
        "value": value,
        "steps": 6,
        "seconds": 1.5,
        "attempt": 0,
        "reason": "" if state == "complete" else "stopped",
        "curve": curve,
        **more,
    }


def _document(**more) -> dict:
    return {
        "search": "digits-0",
        "task": "digits",
        "metric": "accuracy",
        "direction": "maximize",
        "seed": 0,
        "seconds": 41.2,
        "epochs": 402,
        "slots": {"planned": 3, "complete": 1, "pruned": 1, "failed": 1, "retried": 0},
        "best": {"family": "cnn", "slot": 1, "validation": 0.989, "test": 0.986, "test_interval": [0.975, 0.994]},
        "default": {"validation": 0.972},
        "baselines": {"majority": 0.1, "linear": 0.95},
        "verdict": "better than default",
        "bundle": "exports/digits/v-0123456789ab",
        **more,
    }


SLOTS = [_slot(0), _slot(1, 0.95, family="cnn"), _slot(2, 0.5, "pruned"), _slot(3, None, "failed", reason="diverged")]


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


def test_the_verdict_comes_first_and_the_numbers_follow():
    page = render(_document(), SLOTS)
    body = page[page.index("<body>") :]
    places = [body.index(text) for text in ("better than default", "0.986", "0.975 to 0.994", "0.972", "diverged")]
    assert places == sorted(places)


def test_nothing_is_remote_and_no_script_runs():
    page = render(_document(), SLOTS)
    found = _Elements(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_user_stays_text(text):
    plain = _Elements(render(_document(), [_slot(0), _slot(1)]))
    names = dict.fromkeys(("search", "task", "metric", "verdict", "bundle"), text)
    slots = [_slot(0), _slot(1, family=text, reason=text, params={text: text})]
    document = _document(**names, baselines={text: 0.5, "linear": 0.9})
    page = render(document, slots)
    found = _Elements(page)
    assert set(found.tags) == set(plain.tags)
    assert {name for name, _ in found.attributes} == {name for name, _ in plain.attributes}
    assert text in html.unescape(page)


@pytest.mark.parametrize(
    "slots",
    [[], [_slot(0)], [_slot(0, None, "failed")], [_slot(0, 0.5, "pruned")], [_slot(n, 0.5) for n in range(3)]],
    ids=["none", "one", "failed", "pruned", "equal"],
)
def test_a_search_that_found_little_has_a_report_too(slots):
    document = _document(best=None, default=None, baselines=None, verdict=None, bundle=None)
    assert "No verdict yet" in render(document, slots)


def test_a_search_without_optional_fields_has_a_report_too():
    required = ("search", "task", "metric", "direction")
    document = {name: value for name, value in _document().items() if name in required}
    assert "No verdict yet" in render(document, SLOTS)


def test_a_long_search_shows_its_best_slots():
    page = render(_document(), [_slot(number, number / 5000, curve=[]) for number in range(3000)])
    assert page.count('<th scope="row" class="figure">') == MOST_SLOTS
    assert "The best 1000 of 3000" in page
    assert '<th scope="row" class="figure">2999<' in page


@pytest.mark.parametrize("draw", [best_so_far, learning_curves])
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_figures_are_well_formed_and_stay_inside_their_frame(draw, direction):
    slots = [_slot(number, value) for number, value in enumerate([0.9, 1e30, -1e30, 0.95, 0.0])]
    figure = ElementTree.fromstring(draw(slots, metric="a < b", direction=direction, families=["mlp"]))
    for element in figure.iter():
        for name in ("cx", "cy", "x1", "y1", "x", "y"):
            if name in element.attrib:
                assert -1 <= float(element.attrib[name]) <= 720
                assert math.isfinite(float(element.attrib[name]))


def test_the_line_of_the_best_never_gets_worse():
    values = [0.7, 0.9, 0.8, 0.95, 0.6]
    figure = ElementTree.fromstring(
        best_so_far([_slot(n, v) for n, v in enumerate(values)], metric="m", direction="maximize", families=["mlp"])
    )
    (path,) = (element for element in figure.iter() if element.get("class") == "best")
    heights = [float(part.split("H")[0]) for part in path.get("d").split("V")[1:]]
    assert heights == sorted(heights, reverse=True)  # upwards on the screen


def test_a_pruned_slot_is_faint_and_never_counts_as_best():
    slots = [_slot(0, 0.8), _slot(1, 0.99, "pruned")]
    figure = best_so_far(slots, metric="m", direction="maximize", families=["mlp"])
    circles = [element for element in ElementTree.fromstring(figure).iter() if element.tag == "circle"]
    assert [circle.get("class") for circle in circles] == ["c0 complete", "c0 faint"]
    path = next(element for element in ElementTree.fromstring(figure).iter() if element.tag == "path")
    assert circles[1].get("cy") not in path.get("d")


def test_the_report_is_written_whole_over_an_older_one(tmp_path):
    path = tmp_path / "reports" / "digits-0" / "index.html"
    assert build_report(_document(), SLOTS, path) == path
    build_report(_document(verdict="not better than the default"), SLOTS, path)
    assert "not better than the default" in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]


def test_a_report_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(StorageError, match="report"):
        build_report(_document(), SLOTS, tmp_path / "reports" / "index.html")
