"""Export: a staged model becomes a published bundle, or nothing changes; a published one takes other forms."""

from automl.export.conversion import convert
from automl.export.transaction import publish, verify_in_clean_process

__all__ = ["convert", "publish", "verify_in_clean_process"]
