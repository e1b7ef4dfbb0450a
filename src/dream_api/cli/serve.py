"""`dream-api serve`, and its greeting."""

import os
import sys
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any

import structlog
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from dream_api import __version__, platforms
from dream_api.catalog import quickstart
from dream_api.catalog.quickstart import Quickstart
from dream_api.core.console import (
    CommandContext,
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
    return partial(print_json, _facts(instance.settings))


async def _greet_logs(instance: Instance) -> Callable[[], None]:
    async with instance.transaction(writes=True) as context:
        link = await _operator_link(context)

    def greet() -> None:
        _log.info("listening", **_facts(instance.settings))
        if link is not None:
            _log.warning("operator_link", url=link)

    return greet


async def _greet_people(instance: Instance) -> Callable[[], None]:
    async with instance.transaction(writes=True) as context:
        ready = await quickstart.ensure(context.tx, context.instance_key)
        link = await _operator_link(context)
    return lambda: console().print(_welcome(instance.settings, ready, link), soft_wrap=True)


async def _operator_link(context: CommandContext) -> str | None:
    """A one-time link that makes the instance's operator; None where it has one."""
    if not await platforms.operator_is_missing(context.tx):
        return None
    return f"{context.settings.link_base}/account/operator/{await platforms.create_operator_link(context.tx)}"


def _facts(settings: Settings) -> dict[str, Any]:
    several = {"processes": settings.processes} if settings.processes > 1 else {}
    return {"url": settings.link_base, "docs": _docs(settings), "pid": os.getpid(), **several}


def _docs(settings: Settings) -> str:
    return f"{settings.link_base}/docs"


def _welcome(settings: Settings, ready: Quickstart, operator_link: str | None) -> RenderableType:
    where = {
        "Listening on": _local_url(settings),
        "Public URL": settings.public_url,
        "Documentation": _docs(settings),
    }
    where["Data"] = str(settings.data.absolute()) if settings.is_embedded else "PostgreSQL"
    where["Server"] = f"{settings.processes} processes" if settings.processes > 1 else None
    test_keys = {"Publishable key": ready.publishable_key, "Secret key": ready.secret_key}
    return Group(
        Text(f"dream-api {__version__} is ready.", "bold"),
        "",
        KeyValueTable(where),
        "",
        *_invitation(operator_link),
        Text(f"The project {ready.project.name} is there to be tried, in test mode:"),
        "",
        KeyValueTable({**test_keys, "Project": ready.project.id}),
        "",
        Text("Count a call of the user ada:"),
        "",
        Text(_call(settings, ready)),
        "",
        Text("Ctrl-C stops the server.", "dim"),
        "",
    )


def _invitation(operator_link: str | None) -> list[RenderableType]:
    if operator_link is None:
        return []
    return [Text("Nobody runs this instance yet. This link makes its operator, once:"), "", Text(operator_link), ""]


def _call(settings: Settings, ready: Quickstart) -> str:
    return (
        f"  curl -X POST {_local_url(settings)}/api/data \\\n"
        f"    -H 'Authorization: Bearer {ready.secret_key}' \\\n"
        "    -H 'X-User-Id: ada'"
    )


def _local_url(settings: Settings) -> str:
    """The URL of the server on this machine."""
    host = settings.host
    try:
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the Internet Protocol's
    except ValueError:
        pass  # a name
    return settings.model_copy(update={"host": host, "public_url": None}).link_base
