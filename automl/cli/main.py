"""The command `automl`: its nouns, and how every error leaves it (one line on stderr or one JSON document, and an exit code)."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer
from typer._click.exceptions import BadParameter, ClickException, NoArgsIsHelpError, NoSuchOption

from automl.cli import doctor, families, models, predict, report, search, searches, tasks, ui
from automl.cli.examples import with_examples
from automl.cli.output import print_error, print_json
from automl.errors import AutoMLError, did_you_mean

_NOT_OF_KIND = re.compile(r"valid (boolean|integer)")
_KINDS = {"boolean": "yes or no", "integer": "a whole number"}
_NO_COMMAND = re.compile(r"No such command '(.*?)'")

app = typer.Typer(
    help=with_examples(
        "Search the hyperparameters of PyTorch Lightning model families, and trust the winner.",
        "automl search digits",
        "automl predict digits rows.csv",
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("search")(search.search)
app.command("predict")(predict.predict)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("ui")(ui.ui)
app.add_typer(searches.app, name="searches")
app.add_typer(models.app, name="models")
app.add_typer(tasks.app, name="tasks")
app.add_typer(families.app, name="families")


def _version(wanted: bool) -> None:
    if wanted:
        from automl import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="AUTOML_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Search the hyperparameters of PyTorch Lightning model families, and trust the winner."""
    if debug:
        os.environ["AUTOML_DEBUG"] = "1"


def main() -> None:
    """Run the command line and leave with its exit code."""
    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process at once, all that was printed written.

    A thread in which pyarrow lets go of a file aborts a process whose interpreter is being torn down, after everything was said;
    and the interpreter's last collection would walk through all of torch and MLflow, up to a second.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line on these arguments; returns the exit code, see `automl.errors`. Prints errors, never a traceback."""
    as_json = "--json" in arguments
    try:
        code = app(arguments, prog_name="automl", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except ClickException as error:
        return _misused(error, arguments, as_json=as_json)
    except AutoMLError as error:
        return _fail(type(error).__name__, str(error), error.hint, error.exit_code, as_json=as_json, cause=error)
    except KeyboardInterrupt:
        return _fail("Stopped", "stopped", "", 130, as_json=as_json)
    except SystemExit as end:  # typer ends shell completion with code 0, and turns a broken pipe into code 1
        return _nobody_reads() if end.code else 0
    except BrokenPipeError:
        return _nobody_reads()
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.EIO and stat.S_ISCHR(os.fstat(1).st_mode):
            return _nobody_reads()  # the terminal is gone
        hint = "This should not happen. --debug shows where it did."
        return _fail(type(error).__name__, str(error), hint, 1, as_json=as_json, cause=error)


def _misused(error: ClickException, arguments: list[str], *, as_json: bool) -> int:
    """Say what a wrong command, option or value should have been: one nearest word, and the help that lists the others."""
    context: Any = getattr(error, "ctx", None)
    if isinstance(error, NoArgsIsHelpError):
        if not as_json:
            return 2  # its help was printed
        message = f"{context.command_path} needs a command."
    elif isinstance(error, NoSuchOption):
        known = [
            name for option in context.command.get_params(context) for name in (*option.opts, *option.secondary_opts)
        ]
        message = f"No such option '{error.option_name}'.{did_you_mean(error.option_name, known)}"
    elif (unknown := _NO_COMMAND.match(error.format_message())) is not None:
        message = f"{unknown[0]}.{did_you_mean(unknown[1], context.command.commands)}"
    elif isinstance(error, BadParameter) and (kind := _NOT_OF_KIND.search(error.message)) is not None:
        message = f"{_blamed(error)} must be {_KINDS[kind[1]]}."
    else:
        message = error.format_message().rstrip(".") + "."
    path = context.command_path if context is not None else _path(arguments)
    return _fail("UsageError", message, f"See {path} --help.", 2, as_json=as_json)


def _blamed(error: BadParameter) -> str:
    """What a wrong value was given for: an option, an argument, or a variable of the environment."""
    option: Any = error.param
    source = error.ctx.get_parameter_source(option.name) if error.ctx is not None else None
    if source is not None and source.name == "ENVIRONMENT":
        return str(option.envvar)
    return str(option.opts[0] if option.param_type_name == "option" else option.metavar or option.name)


def _path(arguments: list[str]) -> str:
    """Return the command that these arguments begin with: `automl models list`."""
    command, path = typer.main.get_command(app), "automl"
    for word in arguments:
        if (inner := getattr(command, "commands", {}).get(word)) is None:
            break
        command, path = inner, f"{path} {word}"
    return path


def _nobody_reads() -> int:
    """Return 141; the interpreter's last flush must not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    return 141


def _fail(kind: str, message: str, hint: str, code: int, *, as_json: bool, cause: BaseException | None = None) -> int:
    if cause is not None and os.environ.get("AUTOML_DEBUG"):
        print(_without_passwords("".join(traceback.format_exception(cause))), end="", file=sys.stderr)
    message = _without_passwords(message)
    if as_json:
        print_json({"error": {"type": kind, "message": message, "hint": hint}})
    else:
        print_error(message, hint)
    return code


def _without_passwords(text: str) -> str:
    """A library may have put the address of MLflow into its own words."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        return text
    from automl.tracking.uri import redact

    return redact(text)


if __name__ == "__main__":
    main()
