"""Names of tasks that come from names of files and folders."""

from __future__ import annotations

import re


def safe_name(text: str, otherwise: str) -> str:
    """A name that is safe for folders and tags, or the other where nothing is left of it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80] or otherwise
