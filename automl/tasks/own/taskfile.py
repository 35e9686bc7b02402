"""A task file: what a person says about a file of data, kept beside it as YAML. Reads and writes it; looks at no data.

Every value is text, so that `target: no` names the column `no` and `1e-3` a column `1e-3`. Duplicate keys, tags, anchors and
aliases are refused, as are files of more than 1 MB or nested more than 20 deep.
"""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from automl.config import Frozen
from automl.errors import ConfigError, did_you_mean
from automl.tasks.own.choices import Choices
from automl.tasks.task import Task

SUFFIXES = (".yaml", ".yml")
_LARGEST = 1 << 20
_DEEPEST = 20
_LONGEST_KEY = 1000
"""YAML reads a key up to 1024 characters; a column with a longer name is inferred each time."""
_PLAIN = re.compile(r"(\.{0,2}/)*[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")


class TaskFile(Frozen):
    """The keys of a task file."""

    path: str
    """The data, relative to the task file's folder."""
    test: str | None = None
    """Data to test with, relative to the task file's folder; left out, a test part is set apart from `path`."""
    target: str | None = None
    kind: Literal["classification", "regression", "forecast"] | None = None
    metric: str | None = None
    """Steers the search; the others are recorded."""
    columns: dict[str, Literal["number", "category", "date", "text", "left out"]] = Field(default_factory=dict)
    """What a column is taken for; those that are not named are inferred."""
    group: str | None = None
    time_column: str | None = None
    encoding: str | None = None
    input: Literal["series", "table"] | None = None
    id: str | None = None
    horizon: int | None = Field(default=None, ge=1)
    """Steps that a forecast predicts."""
    known: tuple[str, ...] = ()
    """Columns that are known for these steps."""
    tokens: Literal["words", "subwords"] | None = None
    """What a text that is the whole input is cut into."""


_FLAGS = frozenset(
    (
        "trials",
        "time",
        "families",
        "devices",
        "workers",
        "sampler",
        "pruner",
        "max_epochs",
        "seed",
        "set",
        "name",
        "executor",
    )
)
"""What belongs to a search, which takes a task in many ways."""


def read_task_file(path: Path, flags: Choices) -> tuple[Path, Choices]:
    """Return where the data is, and the choices: what the command line says wins over the file.

    Raises ConfigError with the line of what is wrong.
    """
    stated = _checked(path, _parse(path))
    data, usual = path.parent / stated.path, Choices()
    for key, named in (("path", stated.path), ("test", stated.test or "")):
        if Path(named).suffix.lower() in SUFFIXES:
            raise ConfigError(f"{path}: '{key}' must be data, not another task file, but is {named!r}.")
    return data, Choices(
        target=flags.target or stated.target,
        kind=flags.kind or stated.kind,
        columns={**stated.columns, **flags.columns},
        group=flags.group or stated.group,
        time_column=flags.time_column or stated.time_column,
        encoding=flags.encoding if flags.encoding != Choices.encoding else stated.encoding or Choices.encoding,
        metric=flags.metric or stated.metric,
        name=flags.name or path.stem,
        test=flags.test or (stated.test and str(path.parent / stated.test)),
        input=flags.input or stated.input,
        id=flags.id or stated.id,
        horizon=flags.horizon or stated.horizon,
        known=flags.known or stated.known,
        tokens=stated.tokens or Choices.tokens,
        file=str(path),
        beside={key: value for key, value in asdict(flags).items() if value != getattr(usual, key)},
    )


def task_file(task: Task, folder: Path, rows: int) -> str:
    """Return the text of a task file, to be written into `folder`, that says what was inferred, and why."""
    choices = task.choices
    others = ", ".join(metric for metric, _ in task.objectives[1:])
    data, test = (
        where and Path(os.path.relpath(where, folder.absolute())).as_posix()
        for where in (choices["path"], choices["test"])
    )
    metric = f"metric: {task.metric}  # steers; recorded too: {others}"
    tokens = f"tokens: {task.tokens}  # or subwords, pieces of words"
    lines = [
        "# What is to be learned. Change what is wrong; delete a line, and it is inferred again.",
        f"path: {_quoted(data)}  # {rows} rows",
        _optional("test", test, "rows to test with; left out, a test part is set apart from path", "FILE"),
    ]
    encoding = f"encoding: {_quoted(choices['encoding'])}"
    if Path(choices["path"]).is_dir():  # it has no columns, and its classes are its sub-folders
        return "\n".join([*lines, metric, *([encoding, tokens] if task.input_kind == "text" else [])]) + "\n"
    lines += [
        f"target: {_quoted(task.target)}",
        f"kind: {choices['kind'] or task.kind}  # {_comment(task.why)}",
        metric,
        _optional("group", choices["group"], "rows with equal values here stay in one part, such as a patient's"),
        _optional("time_column", choices["time_column"], "when a row was: the newest rows become the test part"),
        *_of_series(task),
        *([tokens] if task.input_kind == "text" else []),
        encoding,
        "columns:  # number, category, date, text or left out",
    ]
    named = [column for column in task.columns if len(column.name) <= _LONGEST_KEY]
    lines += [f"  {_quoted(column.name)}: {column.kind}  # {_comment(column.why)}" for column in named]
    return "\n".join(lines) + "\n"


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: scalars are text, and what only an attacker needs is refused."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused(event, "anchors and aliases are not read")
        if event.tag is not None:
            raise _refused(event, f"tags such as {event.tag[:40]!r} are not read")
        if self.depth == _DEEPEST:
            raise _refused(event, f"it is nested more than {_DEEPEST} deep")
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refused(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _parse(path: Path) -> yaml.MappingNode:
    """Return the file's tree. Raises ConfigError for a file that is no single mapping."""
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.{_near(path)}") from None
    if len(content) > _LARGEST:
        raise ConfigError(f"{path}: a task file has at most {_LARGEST >> 20} MB. Is this the data?")
    try:
        node = _Loader(content.decode("utf-8-sig")).get_single_node()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}. Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}: cannot be read as a task file{line}: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:  # a character that no text holds
        raise ConfigError(f"{path}: not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{path}: a task file holds lines such as 'path: data.csv' and 'target: COLUMN'.")
    return node


def _near(path: Path) -> str:
    if path.exists():
        return ""
    return did_you_mean(path.name, [each.name for each in path.parent.glob("*.y*ml")])


def _checked(path: Path, node: yaml.MappingNode) -> TaskFile:
    lines: dict[str, int] = {}
    keys = _mapping(path, node, lines)
    for key in keys:
        if key in _FLAGS:
            raise ConfigError(
                f"{path}: '{key}', line {lines[key]}, is no part of a task. Say it on the command line: --{key.replace('_', '-')}."
            )
        if key not in TaskFile.model_fields:
            near = did_you_mean(key, TaskFile.model_fields).strip().replace("Did", "did")
            raise ConfigError(
                f"{path}: unknown key {key!r}{f' ({near})' if near else ''}, line {lines[key]}. "
                f"Keys: {', '.join(TaskFile.model_fields)}."
            )
    try:
        return TaskFile.model_validate({key: value for key, value in keys.items() if value != ""})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise ConfigError(f"{path}: '{key}' is missing: where is the data? For example 'path: data.csv'.") from None
        where = lines.get(key) or lines.get(str(first["loc"][0]))
        given, context = first["input"], first.get("ctx", {})
        rule = f"must be {context['expected']}" if "expected" in context else f"is wrong ({first['msg']})"
        near = did_you_mean(given, re.findall("'(.*?)'", rule)) if isinstance(given, str) else ""
        raise ConfigError(f"{path}: '{key}', line {where}, {rule}, but is {str(given)[:80]!r}.{near}") from None


def _mapping(path: Path, node: yaml.MappingNode, lines: dict[str, int], above: str = "") -> dict[str, Any]:
    """A mapping's values, text or mappings again; `lines` learns where each key stands."""
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{path}: a key must be text, line {line}.")
        if key.value in found:
            first = lines[above + key.value]
            raise ConfigError(f"{path}: key {key.value!r} occurs twice, in lines {first} and {line}. Delete one.")
        lines[above + key.value] = line
        if isinstance(value, yaml.MappingNode):
            found[key.value] = _mapping(path, value, lines, f"{above}{key.value}.")
        elif isinstance(value, yaml.ScalarNode):
            found[key.value] = value.value
        elif key.value == "known" and all(isinstance(one, yaml.ScalarNode) for one in value.value):
            found[key.value] = [one.value for one in value.value]
        else:
            raise ConfigError(f"{path}: {key.value!r} must be text, but is a list, line {line}.")
    return found


def _of_series(task: Task) -> list[str]:
    """The keys that make series of rows, where there are such."""
    id, horizon = task.choices["id"], task.choices["horizon"]
    if task.input_kind != "series":
        return [_optional("id", id, "which series a row is of, where several rows make one")]
    found = [f"input: series  # {_comment(task.given)}"]
    found += [_optional("id", id, "which series a row is of")] if id or horizon else []
    if not horizon:
        return found
    known = ", ".join(map(_quoted, task.choices["known"]))
    return [
        *found,
        f"horizon: {horizon}  # steps that are predicted",
        f"known: [{known}]  # columns that are known for these steps",
    ]


def _optional(key: str, value: str | None, meaning: str, example: str = "COLUMN") -> str:
    return f"{key}: {_quoted(value)}  # {meaning}" if value else f"# {key}: {example}  # {meaning}"


def _quoted(text: str) -> str:
    """A scalar that is read back as it is."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:200]
