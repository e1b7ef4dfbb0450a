"""`dream-api serve`, and its greeting."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import structlog
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from dream_api import __version__
from dream_api.cli.first_steps import (
    FirstSteps,
    find_first_steps,
    first_call,
    invitation,
    local_url,
    test_keys,
    typed_command,
)
from dream_api.core.console import (
    CommandGroup,
    Instance,
    KeyValueTable,
    console,
    load_settings,
    print_json,
    run,
)
from dream_api.core.console.commands import AsJson, Data
from dream_api.core.settings import Settings
from dream_api.server.lifecycle import Greeting, serve

serving = CommandGroup()
_log = structlog.get_logger()
_OPERATOR_NEXT = "Open this URL once to create the operator's account; `dream-api operator-link` shows it again."


@serving.typer.command("serve")
def serve_instance(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on. Overrides DREAM_HOST (127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The port to listen on. Overrides DREAM_PORT (8787).")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="The number of server processes. Overrides DREAM_PROCESSES (1)."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Run the server until Ctrl-C or SIGTERM. Settings are read from DREAM_* environment variables."""

    def work() -> None:
        settings = load_settings(host=host, port=port, processes=workers, data=data)
        serve(settings, greet=_greeting(as_json=as_json))

    run(context, work, as_json=as_json)


def _greeting(*, as_json: bool) -> Greeting:
    """For people on a terminal all they need to begin, for programs the address of the server."""
    if as_json:
        return _greet_programs
    return _greet_people if sys.stdout.isatty() else _greet_logs


async def _greet_programs(instance: Instance) -> Callable[[], None]:
    steps = await _first_steps(instance)
    link = None if steps.operator is None else steps.operator.data
    return partial(print_json, {**_facts(instance.settings), "operatorLink": link})


async def _greet_logs(instance: Instance) -> Callable[[], None]:
    steps = await _first_steps(instance)

    def greet() -> None:
        _log.info("listening", **_facts(instance.settings))
        if steps.operator is not None:
            _log.warning("operator_link", **steps.operator.data, next=_OPERATOR_NEXT)

    return greet


async def _greet_people(instance: Instance) -> Callable[[], None]:
    welcome = _welcome(instance.settings, await _first_steps(instance), typed_command())
    return lambda: console().print(welcome, soft_wrap=True)


async def _first_steps(instance: Instance) -> FirstSteps:
    async with instance.transaction(writes=True) as context:
        return await find_first_steps(context)


def _facts(settings: Settings) -> dict[str, Any]:
    several = {"processes": settings.processes} if settings.processes > 1 else {}
    urls = {"url": settings.link_base, "dashboard": _dashboard(settings), "docs": _docs(settings)}
    return {**urls, "pid": os.getpid(), **several}


def _dashboard(settings: Settings) -> str:
    return f"{settings.link_base}/dashboard"


def _docs(settings: Settings) -> str:
    return f"{settings.link_base}/docs"


def _welcome(settings: Settings, steps: FirstSteps, command: str) -> RenderableType:
    where = {
        "Listening on": local_url(settings),
        "Public URL": settings.public_url,
        "Dashboard": _dashboard(settings),
        "Documentation": _docs(settings),
    }
    where["Data"] = str(settings.data.absolute()) if settings.is_embedded else "PostgreSQL"
    where["Server"] = f"{settings.processes} processes" if settings.processes > 1 else None
    return Group(
        Text(f"dream-api {__version__} is ready.", "bold"),
        "",
        KeyValueTable(where),
        "",
        *([] if steps.operator is None else invitation(steps.operator, command)),
        *([] if steps.project is None else [*test_keys(steps.project), *first_call(settings, steps.project)]),
        Text("Ctrl-C stops the server.", "dim"),
        "",
    )
