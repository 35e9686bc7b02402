"""`automl models` where MLflow has not been told of a search yet: the model is not missing, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import stubs

from automl.cli.main import run
from automl.cli.models import _told
from automl.cli.place import naming_the_cure, unsent
from automl.errors import ConfigError
from automl.ledger import Home, Ledger
from automl.tracking.registry import Version

CURE = "Not in MLflow yet: the model of search 'bowl-0'. Send it: automl searches sync bowl-0"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Of a finished search of the home."""
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path))
    folder = Home(tmp_path).search("bowl-0")
    folder.create()
    ledger = Ledger.open(folder.ledger)
    ledger.begin(stubs.header())
    ledger.finish({"bundle": "exports/bowl/v-0"})
    return ledger


def test_a_model_that_waits_to_be_registered_is_missed_with_the_cure(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="no model 'bowl'") as caught, naming_the_cure("bowl"):
        raise ConfigError("no model 'bowl' is registered.")
    assert caught.value.hint == CURE


def test_another_models_search_is_not_named(ledger: Ledger) -> None:
    with pytest.raises(ConfigError) as caught, naming_the_cure("wine"):
        raise ConfigError("no model 'wine' is registered.", hint="none")
    assert caught.value.hint == "none"
    assert unsent() == CURE


def test_nothing_is_said_of_what_mlflow_has_though_nobody_could_say_so(ledger: Ledger) -> None:
    assert unsent("bowl", {"bowl-0"}) is None
    assert unsent("bowl", {"bowl-1"}) == CURE


def test_nothing_is_said_of_what_was_sent_or_is_never_to_be_sent(ledger: Ledger) -> None:
    ledger.reconfigure({"tracking": False})
    ledger.finish({"bundle": "exports/bowl/v-0"})
    assert unsent() is None
    ledger.reconfigure({"tracking": True})
    ledger.finish({"bundle": "exports/bowl/v-0"})
    ledger.mark_sent([number for number, *_ in ledger.unsent("mlflow")])
    assert unsent() is None


def test_a_damaged_ledger_stands_in_nobodys_way(ledger: Ledger, tmp_path: Path) -> None:
    damaged = Home(tmp_path).search("damaged")
    damaged.create()
    damaged.ledger.write_bytes(b"no database" * 100)
    assert unsent() == CURE


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("models list", 0, "No models are registered yet. Begin with: automl search digits"),
        ("models show bowl", 2, "no model 'bowl' is registered. Models: none yet."),
        ("predict bowl@champion rows.csv", 2, "no model 'bowl' is registered. Models: none yet."),
    ],
)
def test_looking_for_models_makes_no_database(
    line: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == code
    assert said in "".join(capsys.readouterr())
    assert not list(tmp_path.iterdir())


def test_numbers_of_a_version_are_told_as_everywhere() -> None:
    version = Version("reg", 1, True, {"test": "1.392e+05", "family": "1e5", "validation": "unknown"}, "", 0)
    assert [_told(version, tag) for tag in ("test", "family", "validation", "search")] == [
        "139,200",
        "1e5",
        "unknown",
        "-",
    ]
