"""Export: a staged model becomes a published bundle, or nothing changes."""

from automl.export.transaction import publish, verify_in_clean_process

__all__ = ["publish", "verify_in_clean_process"]
