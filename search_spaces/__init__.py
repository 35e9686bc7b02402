"""Search spaces: one file per family, pure Python. Each defines `INPUTS`, `DEFAULT` and `suggest(trial, spec) -> dict`."""
