"""What a person can choose about a search: frozen, validated, documented field by field. Knows nothing of data or models."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from automl.errors import ConfigError, did_you_mean

DEFAULT_TRIALS = 40
SAMPLERS = ("tpe", "random", "cmaes", "qmc", "grid", "gp")
PRUNERS = ("auto", "hyperband", "median", "patient", "none")
EXECUTORS = ("local", "inline")
_KNOWN = {"sampler": SAMPLERS, "pruner": PRUNERS, "executor": EXECUTORS}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Frozen(BaseModel):
    """Base of all settings: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(Frozen):
    """When a search stops: at whichever comes first."""

    trials: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Slots over all families together."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Wall time from the command's start, confirmation and export included."""

    @property
    def slots(self) -> int | None:
        """Slots that are planned; None when time alone decides."""
        if self.trials is None and self.seconds is None:
            return DEFAULT_TRIALS
        return self.trials


class SearchConfig(Frozen):
    """How a task is searched. Its task and name stand beside it, not in it."""

    families: tuple[str, ...] = ()
    """Families to search; empty means each that accepts the task's inputs."""
    budget: Budget = Budget()
    sampler: str = "tpe"
    pruner: str = "auto"
    max_epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    """The most epochs one trial may train: the pruner's resource."""
    metric: str | None = None
    """Overrides the task's first objective."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    overrides: dict[str, str] = Field(default_factory=dict)
    """`family.parameter` -> a value, or a range `low..high`."""
    devices: str = "auto"
    """`auto`, `cpu`, or ids of GPUs: `0,1`."""
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Worker processes; None means one per GPU, or as many as the CPU's cores feed."""
    executor: str = "local"
    precision: str = "32-true"
    """Lightning's precision flag for training."""
    stall_timeout: Annotated[float, Field(gt=0)] = 600.0
    """Seconds without a batch after which a worker counts as hung."""
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    """Deaths of a worker that one slot survives before it is failed."""
    max_failed: Annotated[int, Field(ge=1)] = 10
    """Failed slots in a row that end the search."""
    confirm_seeds: Annotated[int, Field(ge=1, le=100)] = 3
    """Fresh seeds on which the winner and its family's default are trained again: two, and up to these while it leads."""
    tracking: bool = True
    """False keeps the search out of MLflow."""
    strict: bool = False
    """Refuse to resume under other code or library versions instead of warning."""
    families_from: str | None = None
    """A folder with `search_spaces/` and `lightning_modules/` of your own."""

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, value: str) -> str:
        return _one_of(value, SAMPLERS)

    @field_validator("pruner")
    @classmethod
    def _known_pruner(cls, value: str) -> str:
        return _one_of(value, PRUNERS)

    @field_validator("executor")
    @classmethod
    def _known_executor(cls, value: str) -> str:
        return _one_of(value, EXECUTORS)


def make_config(**choices: Any) -> SearchConfig:
    """Build a SearchConfig; a wrong value becomes a ConfigError that names flag, rule and value."""
    try:
        return SearchConfig(**choices)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """Return the first thing wrong as `--flag must hold, but got value`."""
    first = error.errors()[0]
    name, context = str(first["loc"][-1]), first.get("ctx", {})
    flag = {"seconds": "--time"}.get(name, "--" + name.replace("_", "-"))
    near = ""
    match first["type"]:
        case "extra_forbidden":
            return f"{flag} is no setting of a search.{did_you_mean(name, SearchConfig.model_fields)}"
        case "greater_than_equal":
            rule = f"must be at least {context['ge']}"
        case "greater_than":
            rule = f"must be above {context['gt']}"
        case "less_than_equal":
            rule = f"must be at most {context['le']}"
        case "less_than":
            rule = f"must be below {context['lt']}"
        case "value_error":
            rule, near = str(context["error"]), did_you_mean(str(first["input"]), _KNOWN.get(name, ()))
        case _:
            rule = f"is not valid ({first['msg']})"
    return f"{flag} {rule}, but got {first['input']!r}.{near}"


def parse_seconds(text: str, flag: str = "--time") -> float:
    """Read a duration such as `90s`, `10m`, `1h30m` or plain seconds, given for `flag`; returns seconds."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    elif re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhd])", text))
    else:
        raise ConfigError(f"{flag} must be a duration, but got {text!r}. Examples: 90s, 10m, 1h30m.")
    if seconds <= 0:
        raise ConfigError(f"{flag} must be positive, but got {text!r}. Examples: 90s, 10m, 1h30m.")
    return seconds


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where our own state lies: `AUTOML_HOME`, or `.automl` in the working folder. Raises ConfigError."""
    root = str(Path(environ.get("AUTOML_HOME") or ".automl").absolute())
    if "\n" in root or "\0" in root:
        raise ConfigError(f"AUTOML_HOME must be a path without line breaks, but got {root!r}.")
    return Path(root)


def memory_limit(environ: Mapping[str, str] = os.environ) -> int | None:
    """Return how many bytes the command may hold of rows: `AUTOML_MEMORY`, such as `500M` or `8G`. Raises ConfigError."""
    text = environ.get("AUTOML_MEMORY", "").strip()
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text, re.IGNORECASE)
    if found is None:
        raise ConfigError(f"AUTOML_MEMORY must be a size, but got {text!r}. Examples: 500M, 8G.")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


def check_name(name: str) -> str:
    """Return a name that is safe as a folder and as a tag, or raise ConfigError."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith("."):
        raise ConfigError(
            f"A name is 1 to 100 letters, digits, '.', '_' or '-', begins with a letter or digit and has no '..', but got {name!r}."
        )
    return name


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return value
