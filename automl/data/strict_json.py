"""JSON that came from elsewhere: one meaning or none. Knows nothing of what the document is for."""

from __future__ import annotations

import json
import math
from typing import Any


def parse(content: str | bytes) -> Any:
    """Return the document. Raises ValueError for duplicate keys, NaN, infinities, deep nesting and what is no UTF-8 JSON."""
    text = content if isinstance(content, str) else content.decode("utf-8")
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
        if "\\ud" in text.lower():  # half of a pair is no character: no file and no terminal takes it
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
