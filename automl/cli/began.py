"""When this command began: imported before all that takes time. A time budget counts from here."""

import time

BEGAN = time.monotonic()
"""Python itself was up a tenth of a second before."""
