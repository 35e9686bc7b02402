"""`automl families`: the model families, their defaults and search spaces."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from automl.cli import complete
from automl.cli.examples import examples, with_examples
from automl.cli.options import FamiliesFrom, Json
from automl.cli.output import print_json, print_table
from automl.errors import ConfigError, did_you_mean

app = typer.Typer(
    help=with_examples("Families: kinds of model.", "automl families list", "automl families show mlp"),
    no_args_is_help=True,
)


@app.command("list")
@examples("automl families list", "automl families list --families-from my_families")
def list_families(
    families_from: FamiliesFrom = None,
    as_json: Json = False,
) -> None:
    """List the families and the inputs they take."""
    from automl import catalog

    if families_from:
        catalog.add_families_from(families_from)
    rows = [(name, ", ".join(catalog.space(name).INPUTS)) for name in catalog.families()]
    if as_json:
        print_json([{"family": name, "inputs": inputs.split(", ")} for name, inputs in rows])
    else:
        print_table(rows, ("family", "inputs"))


@app.command("show")
@examples("automl families show mlp", "automl families show cnn --json")
def show_family(
    name: Annotated[
        str, typer.Argument(metavar="FAMILY", help="See `automl families list`.", autocompletion=complete.family)
    ],
    families_from: FamiliesFrom = None,
    as_json: Json = False,
) -> None:
    """Show a family's parameters: range and default of each."""
    from automl import catalog
    from automl.coordinator.space import explore
    from automl.messages import Field, Spec

    if families_from:
        catalog.add_families_from(families_from)
    known = catalog.families()
    if name not in known:
        raise ConfigError(f"Unknown family '{name}'. Families: {', '.join(known)}.{did_you_mean(name, known)}")
    space = catalog.space(name)
    shape = (1, 8, 8) if "image" in space.INPUTS else (16,)
    spec = Spec((Field("x", space.INPUTS[0], shape),), (Field("y", "class", (10,)),), 1000, 10, "cross_entropy")
    explored = explore(space, spec, {})
    if as_json:
        print_json({"family": name, "inputs": list(space.INPUTS), "default": space.DEFAULT, "space": explored})
    else:
        print_table(
            [(key, _range(found), str(space.DEFAULT.get(key, "-"))) for key, found in explored.items()],
            ("parameter", "range", "default"),
        )


def _range(found: dict[str, Any]) -> str:
    if found["kind"] == "categorical":
        return " | ".join(map(str, found["choices"]))
    return f"{found['low']:g} .. {found['high']:g}{' (log)' if found['log'] else ''}"
