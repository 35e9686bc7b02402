"""What keeps a search from working here, and what to do about it. Looks; changes nothing but what `repair` is asked to."""

from automl.doctor.examine import examine
from automl.doctor.finding import Finding, exit_code
from automl.doctor.repair import repair

__all__ = ["Finding", "examine", "exit_code", "repair"]
