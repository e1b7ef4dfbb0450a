"""`dream-api init --new-key`: goes on with another instance key where the instance's own is lost."""

import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext

import typer

from dream_api import operations
from dream_api.core.console import CommandError, CommandResult, Instance, Table, message
from dream_api.core.db import NoInstance
from dream_api.core.db.migrations import current_revision
from dream_api.core.secrets import (
    InstanceKey,
    InstanceKeyMissing,
    InstanceKeyWrong,
    create_instance_key,
    instance_key_place,
    load_instance_key,
)
from dream_api.operations import Loss
from dream_api.server import lock_data_directory

_KEY_BYTES = 32


async def replace_key(instance: Instance, *, is_confirmed: bool) -> CommandResult:
    """Clears what no longer opens, after a confirmation; CommandError where the key is not lost at all."""
    settings = instance.settings
    if await current_revision(instance.database) is None:
        raise NoInstance(f"There is no instance in {instance.place}.")
    with lock_data_directory(settings.data) if settings.is_embedded else nullcontext():
        await instance.prepare()
        reason = await _require_lost(instance)
        if not is_confirmed:
            _confirm(instance, reason, await _losses(instance))
        # Before the database: killed in between, this command finds the key there and goes on with it.
        key = create_instance_key(settings)
        async with instance.transaction(writes=True) as context:
            losses = await operations.replace_instance_key(context.tx, key)
    data = {
        "created": False,
        "instanceKey": {"place": instance_key_place(settings), "fingerprint": key.fingerprint},
        "cleared": [{"what": loss.what, "count": len(loss.rows)} for loss in losses],
    }
    return CommandResult(
        data, message("The instance key was replaced.", _table(losses, "No stored values had to be deleted."))
    )


async def _require_lost(instance: Instance) -> str:
    """Why another key is needed."""
    try:
        async with instance.transaction(writes=False) as context:
            await context.instance_key()
    except InstanceKeyMissing as error:
        return str(error)
    except InstanceKeyWrong as error:
        _require_a_key(instance)
        return str(error)
    raise CommandError(
        f"The key in {instance_key_place(instance.settings)} is the correct key of this instance, so it was not "
        "replaced.",
        code="instance_key_fits",
        hint="Nothing was changed. To replace it anyway, move it to another directory first.",
    )


def _require_a_key(instance: Instance) -> None:
    try:
        load_instance_key(instance.settings)
    except InstanceKeyWrong as error:
        hint = "Nothing was changed. Move this file to another directory, then repeat the command."
        raise CommandError(str(error), code=error.code, hint=hint) from None


async def _losses(instance: Instance) -> list[Loss]:
    try:
        key = load_instance_key(instance.settings)
    except InstanceKeyMissing:
        key = InstanceKey(os.urandom(_KEY_BYTES))  # opens nothing, as the one that will be created
    async with instance.transaction(writes=False) as context:
        return await operations.find_losses(context.tx, key)


def _confirm(instance: Instance, reason: str, losses: Sequence[Loss]) -> None:
    if instance.console.quiet or not sys.stdin.isatty():
        lost = ", ".join(f"{loss.what} ({len(loss.rows)})" for loss in losses) or "nothing"
        raise CommandError(
            f"{reason} With a new key, these values cannot be decrypted and are deleted: {lost}.",
            code="confirmation_needed",
            hint="Nothing was changed. Stop all servers of this instance, then repeat the command with --yes.",
        )
    instance.console.print(message(reason, _table(losses, "No stored values are encrypted with it.")))
    if not typer.confirm("\nStop all servers of this instance first. Delete these values and create a new key?"):
        raise CommandError(
            "Nothing was changed.", code="confirmation_needed", hint="Restore the key, or repeat the command."
        )


def _table(losses: Sequence[Loss], empty: str) -> Table:
    rows = [(loss.what, len(loss.rows), loss.when_lost) for loss in losses]
    return Table(("Cannot be decrypted", "Count", "Effect"), rows, empty=empty, numbers=("Count",), elastic=())
