"""Export: a staged model becomes a published bundle, or nothing changes; a published one takes other forms."""

from automl.export.clean import CleanProcess, verify_in_clean_process
from automl.export.conversion import convert
from automl.export.transaction import publish, require_target

__all__ = ["CleanProcess", "convert", "publish", "require_target", "verify_in_clean_process"]
