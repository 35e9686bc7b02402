"""What a search is asked for reaches the data that its models learn from."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from automl.config import SearchConfig
from automl.errors import ConfigError
from automl.ledger import Home, begun, open_to_read
from automl.run import search


class Ended(Exception):
    pass


class NoWorkers:
    """Ends the search when the first trial would leave."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise Ended


@pytest.mark.parametrize(("metric", "learned"), [(None, False), ("rmsle", True)])
def test_the_metric_decides_how_the_target_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str | None, learned: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    config = SearchConfig(metric=metric, tracking=False, families=("mlp",))
    with pytest.raises(Ended):
        search("diabetes", config, home=Home(tmp_path), executor_for=lambda *_: NoWorkers())  # type: ignore[arg-type, return-value]
    (schema,) = Home(tmp_path).data.glob("*/schema.json")
    assert json.loads(schema.read_text()).get("logarithmic", False) is learned


def test_families_in_another_order_are_the_same_search_and_others_are_named_as_they_are_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def ended(*families: str) -> None:
        config = SearchConfig(tracking=False, families=families)
        search("wine", config, home=Home(tmp_path), executor_for=lambda *_: NoWorkers())  # type: ignore[arg-type, return-value]

    for families in ("mlp", "linear"), ("linear", "mlp"):
        with pytest.raises(Ended):
            ended(*families)
    with closing(open_to_read(Home(tmp_path).search("wine-0"))) as ledger:
        assert begun(ledger, "wine-0").config["families"] == ["mlp", "linear"]
    with pytest.raises(ConfigError, match="has --families mlp,linear, not mlp"):
        ended("mlp")


def test_a_search_that_its_settings_forbid_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = SearchConfig(tracking=False, families=("mlp",), overrides={"mlp.lrr": "1"})
    with pytest.raises(ConfigError, match="lrr"):
        search("wine", config, home=Home(tmp_path), executor_for=lambda *_: NoWorkers())  # type: ignore[arg-type, return-value]
    assert not Home(tmp_path).search("wine-0").root.exists()


def test_a_search_that_has_begun_keeps_its_folder_when_other_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for metric, error in (None, Ended), ("f1", ConfigError):
        config = SearchConfig(tracking=False, families=("mlp",), metric=metric)
        with pytest.raises(error):
            search("wine", config, home=Home(tmp_path), executor_for=lambda *_: NoWorkers())  # type: ignore[arg-type, return-value]
    assert Home(tmp_path).search("wine-0").ledger.exists()
