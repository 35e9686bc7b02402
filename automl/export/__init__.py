"""Export: a staged model becomes a published bundle, or nothing changes."""

from automl.export.publish import publish

__all__ = ["publish"]
