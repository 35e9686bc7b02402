"""The report in headless Chromium, phone to desktop, light and dark: accessible, nothing cut off, nothing refused. See README.md here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "report"))
from samples import SLOTS, coloured, document, header, heated, important, material, score, thousand

from automl.ledger import Home, Ledger
from automl.report import build_index, build_report

TOOLS = os.environ.get("AUTOML_BROWSER", "")
PICTURES = os.environ.get("AUTOML_SCREENSHOTS", "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_MISSING = [
    name
    for name, there in (
        ("chromium", CHROMIUM),
        ("node", shutil.which("node")),
        ("AUTOML_BROWSER with axe-core and playwright-core", (Path(TOOLS) / "node_modules" / "axe-core").is_dir()),
    )
    if not there
]
pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(900),  # axe takes a dozen seconds on each page of 1,000 slots
    pytest.mark.skipif(bool(_MISSING), reason=f"needs {', '.join(_MISSING)}; see tests/browser/README.md"),
]
SCREENS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the browser found on every page and screen."""
    folder = tmp_path_factory.mktemp("pages")
    wanted = []
    for name, path in _pages(folder):
        for width, scheme in SCREENS:
            picture = str(Path(PICTURES).absolute() / f"{name}-{width}-{scheme}.png") if PICTURES else None
            wanted.append({"file": str(path), "width": width, "scheme": scheme, "picture": picture})
    done = subprocess.run(
        ["node", str(Path(__file__).parent / "look.mjs")],
        input=json.dumps(wanted),
        env={**os.environ, "CHROMIUM": CHROMIUM},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _pages(folder: Path) -> Iterator[tuple[str, Path]]:
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(12, 1, 8, 8))
    texts = [" ".join(rng.choice(["a", "PRIZE", ",", "w" * 90, "dinner"], 150)) for _ in range(8)]
    table = important("age", "a column with quite a long name", *(f"column {place}" for place in range(48)))
    for name, labels, inputs, explained in (
        ("pictures", [f"class {place}" for place in range(10)], pictures, heated(pictures[:8], range(8))),
        ("rows", ["a label that is rather long", "another"], rng.normal(size=(12, 5)), table),
        ("numbers", [], rng.normal(size=(12, 5)), table),
        ("texts", ["ham", "spam"], rng.normal(size=(12, 5)), coloured(texts, rng.normal(size=(8, 150)), range(8))),
    ):
        search = folder / name
        search.mkdir()
        target = rng.integers(0, len(labels), 400) if labels else rng.normal(size=400)
        prediction = rng.dirichlet(np.ones(len(labels)), 400) if labels else target + rng.normal(size=400) / 5
        facts = {
            "columns": np.array([f"column {place}" for place in range(5)]),
            "means": np.ones(5),
            "scales": np.ones(5),
        }
        done = score(
            search,
            target,
            prediction,
            explained,
            rows=np.arange(12),
            inputs=inputs,
            labels=np.array(labels, str),
            **facts,
        )
        yield name, build_report(material([*thousand(), done], search), search / "index.html")
    yield (
        "unfinished",
        build_report(
            material(SLOTS, folder, **dict.fromkeys(("best", "verdict", "bundle", "reasons"))),
            folder / "unfinished.html",
        ),
    )
    yield "index", build_index(_home(folder), folder / "index.html")


def _home(folder: Path) -> Home:
    home = Home(folder / ".automl")
    home.create()
    for name, result in (("digits-0", document()), ("a-search-with-a-name-that-is-long", None)):
        search = home.search(name)
        search.create()
        with closing(Ledger.open(search.ledger)) as ledger:
            ledger.begin(header(name=name))
            for attempt in SLOTS:
                opened = ledger.open_attempt(replace(attempt, state="open", final=False, outcome=None, value=None))
                assert attempt.outcome is not None
                ledger.close_attempt(opened, attempt.outcome)
            if result:
                ledger.finish(result)
    return home


def test_axe_has_no_serious_finding(looked: list[dict[str, Any]]) -> None:
    serious = [
        (Path(page["file"]).parent.name, page["width"], page["scheme"], one)
        for page in looked
        for one in page["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_nothing_is_wider_than_the_screen(looked: list[dict[str, Any]]) -> None:
    assert [(page["file"], page["width"]) for page in looked if page["overflow"] > 0] == []


def test_no_label_is_cut_off(looked: list[dict[str, Any]]) -> None:
    assert [(page["file"], page["width"], page["cut"]) for page in looked if page["cut"]] == []


def test_the_policy_refuses_nothing_of_the_page_and_nothing_is_fetched(looked: list[dict[str, Any]]) -> None:
    assert [(page["file"], page["complaints"]) for page in looked if page["complaints"]] == []
    assert {page["styled"] for page in looked} == {"700"}
