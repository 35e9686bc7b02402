"""What `automl ui` shows: which servers it takes, and the links to what was recorded. Starts nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

from automl.errors import AutoMLError, ConfigError
from automl.ledger import Header, Home, SearchFolder, open_to_read
from automl.tracking.dashboard import HOST
from automl.tracking.mlflow_store import ENVIRONMENT, connect
from automl.tracking.serve import Server, choose_port
from automl.tracking.uri import database_path, redact, tracking_uri, without_credentials

_MLFLOW_PORT, _DASHBOARD_PORT = 5000, 8080
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_UNWANTED = (
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
    "MLFLOW_STATIC_PREFIX",
    "MLFLOW_GUNICORN_OPTS",
    "MLFLOW_WAITRESS_OPTS",
    "MLFLOW_EXPOSE_PROMETHEUS",
    "MLFLOW_ARTIFACTS_ONLY",
)
"""Settings for somebody's shared server that would open ours, or move its pages away from our links."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start, and where MLflow will be found."""

    servers: tuple[Server, ...]
    folder: SearchFolder | None
    """The search that was asked for."""
    mlflow: str | None
    """Address of MLflow's pages without credentials; None where nothing is recorded there."""
    uri: str | None
    """The same for a client."""


def plan(
    home: Home,
    search: str | None = None,
    *,
    port: int | None = None,
    optuna: bool = False,
    environ: Mapping[str, str] = os.environ,
    here: Path | None = None,
) -> Plan:
    """Decide what is started; `port` is the first server's. Raises ConfigError where nothing could be shown."""
    folder = home.existing(search) if search is not None else _only_search(home) if optuna else None
    uri = tracking_uri(environ, here or Path.cwd())
    if is_remote(uri):
        dashboards = (
            [dashboard_server(folder, choose_port(port, first=_DASHBOARD_PORT), environ=environ)]
            if optuna and folder
            else []
        )
        return Plan(tuple(dashboards), folder, without_credentials(uri), uri)
    path = database_path(uri)
    servers = []
    if path is None or path.exists():
        servers.append(mlflow_server(uri, choose_port(port, first=_MLFLOW_PORT), environ=environ))
    elif not optuna:
        raise ConfigError(f"nothing is recorded here yet: no {path}.", hint="Begin with: automl search digits")
    url = servers[0].url if servers else None
    if optuna and folder:
        chosen = choose_port(None if servers else port, first=servers[0].port + 1 if servers else _DASHBOARD_PORT)
        servers.append(dashboard_server(folder, chosen, environ=environ))
    return Plan(tuple(servers), folder, url, url)


def _only_search(home: Home) -> SearchFolder:
    names = home.searches()
    if len(names) != 1:
        listed = ", ".join(names) or "none yet"
        raise ConfigError(f"--optuna shows one search: name it. Searches here: {listed}.")
    return home.search(names[0])


def is_remote(uri: str) -> bool:
    """Whether somebody else's server shows what is at a tracking address; raises ConfigError where nothing could show it."""
    scheme = uri.partition(":")[0].partition("+")[0].lower()
    if scheme in ("http", "https"):
        return True
    if scheme in _DATABASES and (scheme != "sqlite" or database_path(uri)):
        return False
    raise ConfigError(
        f"MLFLOW_TRACKING_URI must be an http(s) server or a database for `automl ui`, but got {redact(uri, uri)!r}."
    )


def mlflow_server(uri: str, port: int, *, environ: Mapping[str, str] = os.environ) -> Server:
    """Return MLflow's server for a database. Its address is handed over in the environment: arguments are seen by everyone."""
    names = (f"{HOST}:{port}", f"localhost:{port}")
    options = {
        "--host": HOST,
        "--port": str(port),
        "--workers": "1",
        # Both lists are exact, the port included: the defaults would let names of the local network in. (Pages that other
        # local ports serve may write whatever the second says: MLflow never refuses them.)
        "--allowed-hosts": ",".join(names),
        "--cors-allowed-origins": ",".join(f"http://{name}" for name in names),
        "--uvicorn-opts": "--log-level warning",
    }
    kept = {key: value for key, value in environ.items() if key not in _UNWANTED}
    ours = {**ENVIRONMENT, "DO_NOT_TRACK": "true", "MLFLOW_BACKEND_STORE_URI": uri}
    command = (sys.executable, "-m", "mlflow", "server", *(part for pair in options.items() for part in pair))
    return Server("MLflow", command, port, {**kept, **ours})


def dashboard_server(folder: SearchFolder, port: int, *, environ: Mapping[str, str] = os.environ) -> Server:
    """Return optuna-dashboard for a search's Optuna file; raises ConfigError where either is missing."""
    if find_spec("optuna_dashboard") is None:
        raise ConfigError("optuna-dashboard is not installed.", hint="Run: pip install optuna-dashboard")
    if not folder.optuna.exists():
        raise ConfigError(
            f"search '{folder.name}' has no Optuna file yet.", hint=f"Make it: automl searches sync {folder.name}"
        )
    command = (sys.executable, "-m", "automl.tracking.dashboard", str(folder.optuna), str(port))
    return Server("optuna-dashboard", command, port, environ)


def links(home: Home, chosen: Plan) -> dict[str, str]:
    """Return what to print for MLflow, label to link; ask when it answers. Without an answer the server itself is linked."""
    if chosen.mlflow is None or chosen.uri is None:
        return {}
    headers = _headers([chosen.folder] if chosen.folder else map(home.search, home.searches()))
    tasks = {header.task["name"]: header for header in headers}
    found: dict[str, str] = {}
    for task, number in _experiments(chosen.uri, sorted(tasks)).items():
        found[f"experiment {task}"] = experiment_link(chosen.mlflow, number)
        if chosen.folder:
            name, direction = chosen.folder.name, tasks[task].task["direction"]
            found[f"search {name}"] = comparison_link(chosen.mlflow, number, name, direction)
    return found or {"MLflow": chosen.mlflow}


def _headers(folders: Iterable[SearchFolder]) -> list[Header]:
    """Return what the searches are, whose tasks name the experiments; a damaged ledger only costs its link."""
    found = []
    for folder in folders:
        try:
            with closing(open_to_read(folder)) as ledger:
                header = ledger.header()
        except AutoMLError:
            continue
        if header is not None:
            found.append(header)
    return found


def _experiments(uri: str, names: Iterable[str]) -> dict[str, str]:
    """Return the ids that MLflow gave to experiments of these names."""
    try:
        client = connect(uri)
        found = {name: client.get_experiment_by_name(name) for name in names}
    except Exception:  # whatever is wrong there, a wrong key for example: the link to the server itself still holds
        return {}
    return {name: experiment.experiment_id for name, experiment in found.items() if experiment is not None}


def experiment_link(base: str, experiment: str) -> str:
    """Return the page of an experiment's runs."""
    return f"{base}/#/experiments/{quote(experiment)}/runs"


def comparison_link(base: str, experiment: str, search: str, direction: str) -> str:
    """Return the page that compares the slots of one search in charts, the best first; a search's name holds no quotes.

    The parent has no slot. Without an order of our own MLflow would fold the slots away below it.
    """
    query = {
        "searchFilter": f"tags.search = '{search}' and tags.slot LIKE '%'",
        "orderByKey": "metrics.`objective`",
        "orderByAsc": "true" if direction == "minimize" else "false",
        "compareRunsMode": "CHART",
    }
    return f"{experiment_link(base, experiment)}?{urlencode(query, quote_via=quote)}"
