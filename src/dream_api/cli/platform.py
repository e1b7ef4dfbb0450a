"""`dream-api platform` and `dream-api project`: tenants and their projects."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from dream_api import audit, catalog, customers, keys, platforms
from dream_api.core import clock
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, KeyValueTable, Table, ago, message
from dream_api.core.db import Row, Tx
from dream_api.platforms import Mode, Platform, Project, ProjectType

platform = CommandGroup()
project = CommandGroup()

Name = Annotated[str, typer.Argument(metavar="NAME", help="The display name.", show_default=False)]
_MADE_BY = "operator"
_ORIGIN_HELP = "A website of the project, such as https://myapp.com or https://*.myapp.com. Can be repeated."


@platform.writes
async def create_platform(
    context: CommandContext,
    name: Name,
    level: Annotated[int, typer.Option(metavar="N", help="The platform's level; see `dream-api levels`.")] = 0,
) -> CommandResult:
    """Create a platform: a tenant with its own team and projects."""
    made = await platforms.create(context.tx, name)
    found = await catalog.assign_level(context.tx, made, level, context.settings.home_mode)
    details = {"level": str(found.number)}
    await audit.record(
        context.tx, made.log_stream, "platform.created", by=audit.OPERATOR, about=made.id, details=details
    )
    return CommandResult(
        {"platformId": made.id, "name": made.name, "level": found.number},
        message(
            f"Created the platform {made.name}.",
            KeyValueTable({"Platform": made.id, "Level": f"{found.number} ({found.display_name})"}),
            hint=f"Next: dream-api project create NAME --type saas --platform {made.id}",
        ),
    )


@platform.reads
async def list_platforms(context: CommandContext) -> CommandResult:
    """List all platforms, oldest first. The operator's platform has no level."""
    operator = await platforms.operator_platform(context.tx)
    levels = await _levels(context.tx, context.settings.home_mode)
    default = min(level.number for level in await catalog.list_levels(context.tx, context.settings.home_mode))
    found = [
        (row, None if row.id == operator.id else levels.get(row.id, default))
        for row in await platforms.all_platforms(context.tx)
    ]
    return CommandResult({"data": [_platform_data(row, level) for row, level in found]}, _platform_listing(found))


def _platform_data(row: Row[Any], level: int | None) -> dict[str, Any]:
    return {
        "platformId": row.id,
        "name": row.name,
        "level": level,
        "isOperator": level is None,
        "createdAt": clock.rfc3339(row.created_at),
    }


def _platform_listing(found: Sequence[tuple[Row[Any], int | None]]) -> Table:
    return Table(
        ("Platform", "Id", "Level", "Created"),
        [
            (row.name, row.id, "operator" if level is None else f"level {level}", ago(row.created_at))
            for row, level in found
        ],
        empty="There are no platforms yet. Create one with `dream-api platform create NAME`.",
    )


async def _levels(tx: Tx, mode: Mode) -> dict[str, int]:
    """Each platform's level, where one was given to it."""
    numbers = {level.name: level.number for level in await catalog.list_levels(tx, mode)}
    home = await catalog.ensure_home(tx)
    scope = platforms.ProjectScope(home.platform_no, home.id, mode)
    return {row.user_id: numbers[row.plan] for row in await _all_customers(tx, scope) if row.plan in numbers}


async def _all_customers(tx: Tx, scope: platforms.ProjectScope) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    while page := await customers.page_of(tx, scope, limit=1_000, after=found[-1].id if found else None):
        found.extend(page)
    return found


@project.writes
async def create_project(
    context: CommandContext,
    name: Name,
    project_type: Annotated[
        ProjectType,
        typer.Option(
            "--type",
            help="saas sells plans, store sells products. The type cannot be changed later.",
            show_default=False,
        ),
    ],
    platform: Annotated[
        str | None, typer.Option(metavar="ID", help="The platform of the project. Default: the operator's platform.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Also create live keys. The live secret key is shown only once.")
    ] = False,
    origin: Annotated[list[str] | None, typer.Option(metavar="URL", help=_ORIGIN_HELP)] = None,
) -> CommandResult:
    """Create a project with API keys. A saas project has the plan `free` (1,000 requests per month)."""
    owner = await platforms.find(context.tx, platform) if platform else await platforms.operator_platform(context.tx)
    made = await catalog.create_project_with_defaults(context.tx, owner, name, project_type, platforms.MODES)
    if origin:
        made = await platforms.change_origins(context.tx, made, add=origin)
    tokens = await _issue(context, made, "test")
    if live:
        tokens |= await _issue(context, made, "live")
    modes = "test, live" if live else "test"
    details = {"keys": modes, "origins": " ".join(made.origins)}
    await audit.record(
        context.tx, owner.log_stream, "project.created", by=audit.OPERATOR, about=made.id, details=details
    )
    data = {"platformId": owner.id, "projectId": made.id, "origins": list(made.origins), **tokens}
    return CommandResult(data, _made(owner, made, tokens))


async def _issue(context: CommandContext, made: Project, mode: Mode) -> dict[str, str]:
    """The pair's tokens by their names on the wire."""
    pair = await keys.issue_pair(context.tx, made, mode, instance_key=await context.instance_key(), created_by=_MADE_BY)
    if mode == "test":
        return {"publishableKey": pair[0].token, "secretKey": pair[1].token}
    return {"livePublishableKey": pair[0].token, "liveSecretKey": pair[1].token}


def _made(owner: Platform, made: Project, tokens: dict[str, str]) -> RenderableType:
    hint = f"To show the test keys again, use `keys list` and `keys reveal` with --project {made.id}"
    if "liveSecretKey" in tokens:
        hint = "Save the live secret key now. It cannot be shown again.\n" + hint
    return message(
        f"Created the {made.type} project {made.name} on the platform {owner.name}.",
        KeyValueTable(
            {
                "Project": made.id,
                "Platform": owner.id,
                "Test publishable": tokens["publishableKey"],
                "Test secret": tokens["secretKey"],
                "Live publishable": tokens.get("livePublishableKey"),
                "Live secret": tokens.get("liveSecretKey"),
            }
        ),
        hint=hint,
    )


@project.reads
async def list_projects(
    context: CommandContext,
    platform: Annotated[str | None, typer.Option(metavar="ID", help="List only the projects of this platform.")] = None,
) -> CommandResult:
    """List projects, oldest first. The plans of the operator's first project are the levels of platforms."""
    if platform is not None:
        await platforms.find(context.tx, platform)
    owners = {row.id: row.name for row in await platforms.all_platforms(context.tx)}
    found = [row for row in await platforms.all_projects(context.tx) if platform in (None, row.platform_id)]
    listing = Table(
        ("Project", "Id", "Type", "Platform", "Created"),
        [(row.name, row.id, row.type, owners[row.platform_id], ago(row.created_at)) for row in found],
        empty="There are no projects yet. Create one with `dream-api project create NAME --type saas`.",
        elastic=("Project", "Platform"),
    )
    return CommandResult({"data": [_project_data(row) for row in found]}, listing)


def _project_data(row: Row[Any]) -> dict[str, Any]:
    return {
        "projectId": row.id,
        "platformId": row.platform_id,
        "name": row.name,
        "type": row.type,
        "createdAt": clock.rfc3339(row.created_at),
    }


@project.writes
async def origins_of_project(
    context: CommandContext,
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id, `prj_…`.", show_default=False)],
    add: Annotated[list[str] | None, typer.Option(metavar="URL", help=_ORIGIN_HELP)] = None,
    remove: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A website to remove from the list. Can be repeated.")
    ] = None,
) -> CommandResult:
    """Show or change the websites (origins) of a project.

    Browsers can call from them, and checkouts can redirect to them.
    """
    found = await platforms.find_project(context.tx, project)
    if add or remove:
        found = await platforms.change_origins(context.tx, found, add=add or (), remove=remove or ())
        details = {"added": " ".join(add or ()), "removed": " ".join(remove or ())}
        stream = found.log_stream
        await audit.record(context.tx, stream, "origins.changed", by=audit.OPERATOR, about=found.id, details=details)
    listing = Table(
        (f"Origins of {found.name}",),
        [(origin,) for origin in found.origins],
        empty=f"{found.name} has no origins. In test mode, the local machine is always allowed.",
    )
    return CommandResult({"projectId": found.id, "origins": list(found.origins)}, listing)
