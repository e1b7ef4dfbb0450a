"""`dream-api init`: creates an instance without a server, and replaces an instance key that was lost."""

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from sqlalchemy import URL, make_url

from dream_api import operations, platforms
from dream_api.cli.first_steps import FirstSteps, find_first_steps, invitation, test_keys, typed_command
from dream_api.cli.new_key import replace_key
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, Instance, KeyValueTable, message
from dream_api.core.db import FILE_NAME
from dream_api.core.db.migrations import current_revision
from dream_api.core.secrets import InstanceKey, instance_key_place
from dream_api.core.settings import Settings
from dream_api.migrations import head_revision
from dream_api.platforms import Platform, Project

init = CommandGroup()


@init.creates_instance
async def init_instance(
    instance: Instance,
    new_key: Annotated[
        bool,
        typer.Option(
            "--new-key", help="Replace a lost instance key, and delete the values that can no longer be decrypted."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --new-key: do not ask for confirmation.")] = False,
) -> CommandResult:
    """Create an instance as `serve` does at its first start. Its test keys and the operator's link are shown once."""
    if new_key:
        return await replace_key(instance, is_confirmed=yes)
    if await _exists(instance) or not await instance.prepare():
        return await _existing(instance)
    async with instance.transaction(writes=True) as context:
        key = await context.instance_key()
        steps = await find_first_steps(context)
        data = {"created": True, **await _facts(context, key, steps)}
    return CommandResult(data, _created(instance, steps))


async def _exists(instance: Instance) -> bool:
    if await current_revision(instance.database) is None:
        return False
    async with instance.transaction(writes=False) as context:
        return await operations.is_created(context.tx)


async def _existing(instance: Instance) -> CommandResult:
    """Changes nothing, not even the schema of an earlier release."""
    sentence = f"An instance already exists in {instance.place}. Nothing was changed."
    if await current_revision(instance.database) != head_revision():
        data = {"created": False, **_places(instance.settings), "revision": await current_revision(instance.database)}
        return CommandResult(data, message(sentence, hint="`dream-api migrate` upgrades its schema to this release's."))
    async with instance.transaction(writes=False) as context:
        data = await _facts(context, await context.instance_key(), FirstSteps())
    command = typed_command()
    hint = f"`{command} serve` starts its server."
    if not data["hasOperator"]:
        hint += f"\n`{command} operator-link` shows the link that creates the operator's account."
    return CommandResult({"created": False, **data}, message(sentence, hint=hint))


async def _facts(context: CommandContext, key: InstanceKey, steps: FirstSteps) -> dict[str, Any]:
    """What `--json` answers, the same names whether the instance is new or not."""
    first = steps.project
    return {
        **_places(context.settings),
        "revision": head_revision(),
        "instanceKey": {"place": instance_key_place(context.settings), "fingerprint": key.fingerprint},
        "hasOperator": not await platforms.operator_is_missing(context.tx),
        "operatorLink": None if steps.operator is None else steps.operator.data,
        "platform": _platform(await platforms.operator_platform(context.tx)),
        "project": _project(await operations.load_first_project(context.tx)),
        "keys": None
        if first is None
        else {"test": {"publishableKey": first.publishable_key, "secretKey": first.secret_key}},
    }


def _places(settings: Settings) -> dict[str, str]:
    """Where the instance is, without passwords."""
    data = settings.data.absolute()
    if settings.database_url is None:
        return {"data": str(data), "database": str(data / FILE_NAME)}
    url = make_url(settings.database_url)
    shown = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return {"data": str(data), "database": str(shown)}


def _platform(platform: Platform) -> dict[str, str]:
    return {"platformId": platform.id, "name": platform.name}


def _project(project: Project | None) -> dict[str, str] | None:
    return None if project is None else {"projectId": project.id, "name": project.name, "type": project.type}


def _created(instance: Instance, steps: FirstSteps) -> RenderableType:
    command = typed_command()
    return Group(
        Text(f"Created an instance in {instance.place}."),
        "",
        *([] if steps.operator is None else invitation(steps.operator, command)),
        *([] if steps.project is None else test_keys(steps.project)),
        Text("Back up the instance key, separately from the database. Without this key,"),
        Text("encrypted values cannot be decrypted:"),
        "",
        KeyValueTable({"Instance key": instance_key_place(instance.settings)}),
        "",
        Text(f"`{command} serve` starts the server.", "dim"),
    )
