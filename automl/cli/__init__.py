"""The command line: one file per noun. Parses, calls, prints; decides nothing. Imports heavy packages inside functions only."""

import time

BEGAN = time.monotonic()
"""When this command began, before all that takes time to import: a time budget counts from here."""
