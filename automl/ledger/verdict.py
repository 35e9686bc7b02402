"""A search's verdict for people, from its document. Judges nothing: one spelling for terminal, report and MLflow."""

from __future__ import annotations

from typing import Any

_NOT_BETTER = "not better than the default"


def is_default(document: dict[str, Any]) -> bool:
    """Whether the single model that won is its family's default, so that there is nothing to compare it with."""
    default, ensemble = document.get("default") or {}, document.get("ensemble") or {}
    slot = (document.get("best") or {}).get("slot")
    return slot is not None and default.get("slot") == slot and not ensemble.get("taken")


def headline(document: dict[str, Any]) -> str:
    """The verdict for people: "not better than the default" says little where nothing else than the default came first."""
    verdict = str(document.get("verdict") or "not finished")
    return "the default itself won" if verdict == _NOT_BETTER and is_default(document) else verdict
