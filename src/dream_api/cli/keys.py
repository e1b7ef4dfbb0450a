"""`dream-api keys`: the keys of a project."""

from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from dream_api import audit, platforms
from dream_api import keys as api_keys
from dream_api.core import clock
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, KeyValueTable, Table, ago, message
from dream_api.core.db import Row
from dream_api.core.errors import NotFound, ValidationFailed
from dream_api.core.tokens import masked
from dream_api.platforms import Mode, Project

keys = CommandGroup()

OfProject = Annotated[str, typer.Option("--project", metavar="ID", help="The project's id.", show_default=False)]
InMode = Annotated[Mode, typer.Option(help="The mode of the key.")]
KeyId = Annotated[
    str, typer.Argument(metavar="KEY_ID", help="The key's id, `key_…`, from `keys list`.", show_default=False)
]
_MADE_BY = "operator"
_DEFAULT_GRACE_HOURS = api_keys.DEFAULT_GRACE // clock.HOUR
_LONGEST_NAME = 120
_LONGEST_LIFE_DAYS = 36_500


@keys.writes
async def create(
    context: CommandContext,
    project: OfProject,
    mode: InMode = "test",
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="The purpose of the key, such as the server that uses it.")
    ] = "",
    expires_in_days: Annotated[
        int | None, typer.Option(metavar="N", help="The key expires after this number of days. Default: never.")
    ] = None,
) -> CommandResult:
    """Create another secret key. A live secret key is shown only once."""
    owner = await platforms.find_project(context.tx, project)
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ValidationFailed(f"A name can have up to {_LONGEST_NAME} printable characters.", param="name")
    expires_at = _end_of(expires_in_days)
    issued = await api_keys.issue(
        context.tx,
        owner,
        mode,
        "secret",
        instance_key=await context.instance_key(),
        created_by=_MADE_BY,
        name=name,
        expires_at=expires_at,
    )
    await _record(context, owner, "key.issued", issued.id, mode)
    data = {**_issued_data(owner, issued), "name": name, "expiresAt": _moment(expires_at)}
    facts = {**_issued_facts(issued), "Expires": None if expires_at is None else ago(expires_at)}
    return CommandResult(
        data, message(f"Created a {mode} secret key for {owner.name}.", KeyValueTable(facts), hint=_hint(issued))
    )


@keys.reads
async def list_(
    context: CommandContext,
    project: OfProject,
    mode: Annotated[Mode | None, typer.Option(help="List only the keys of this mode.", show_default=False)] = None,
) -> CommandResult:
    """List the API keys of a project, oldest first. Expired and revoked keys are included."""
    owner = await platforms.find_project(context.tx, project)
    found = await api_keys.of_project(context.tx, owner.platform_no, owner.id, mode)
    now = clock.now()
    listing = Table(
        ("Key", "Id", "State", "Last used"),
        [(_shown(row), row.id, _state_shown(row, now), ago(row.last_used_at)) for row in found],
        empty=f"{owner.name} has no keys here. Create one with `dream-api keys create --project {owner.id}`.",
        elastic=(),
    )
    return CommandResult({"data": [_data(row, now) for row in found]}, listing)


@keys.writes
async def rotate(
    context: CommandContext,
    project: OfProject,
    mode: InMode = "test",
    grace_hours: Annotated[
        int, typer.Option(metavar="N", help="How many hours the older secret keys keep working, 0 to 168.")
    ] = _DEFAULT_GRACE_HOURS,
) -> CommandResult:
    """Create a new secret key. The older secret keys stop working after the grace period."""
    owner = await platforms.find_project(context.tx, project)
    grace = grace_hours * clock.HOUR
    issued = await api_keys.rotate(
        context.tx, owner, mode, instance_key=await context.instance_key(), created_by=_MADE_BY, grace=grace
    )
    await _record(context, owner, "key.rotated", issued.id, mode, graceHours=str(grace_hours))
    data = {**_issued_data(owner, issued), "graceHours": grace_hours}
    end = "no longer work" if grace == 0 else f"expire in {grace_hours} h"
    sentence = f"Created a new {mode} secret key for {owner.name}. The older keys {end}."
    return CommandResult(data, message(sentence, KeyValueTable(_issued_facts(issued)), hint=_hint(issued)))


@keys.writes
async def reveal(context: CommandContext, key_id: KeyId, project: OfProject) -> CommandResult:
    """Show a publishable key or a test secret key again."""
    owner = await platforms.find_project(context.tx, project)
    key = await _find(context, owner, key_id)
    token = api_keys.reveal(key, await context.instance_key())
    if key.kind == "secret":
        await _record(context, owner, "key.revealed", key.id, key.mode)
    data = {"keyId": key.id, "mode": key.mode, "kind": key.kind, f"{key.kind}Key": token}
    return CommandResult(data, Text(token, overflow="fold"))


@keys.writes
async def limit(
    context: CommandContext,
    key_id: KeyId,
    project: OfProject,
    per_second: Annotated[
        str, typer.Option(metavar="N", help="Requests per second, or `unlimited`.", show_default=False)
    ],
) -> CommandResult:
    """Set the rate limit of a secret key. It takes effect within a second."""
    owner = await platforms.find_project(context.tx, project)
    key = await _find(context, owner, key_id)
    rate = _rate_of(per_second)
    await api_keys.set_rate_limit(context.tx, owner.platform_no, key.id, rate)
    await _record(context, owner, "key.limited", key.id, key.mode, perSecond=per_second)
    now = "no rate limit" if rate is None else f"a rate limit of {rate:,} requests per second"
    sentence = f"{_brief(key)} of {owner.name} now has {now}."
    return CommandResult({"keyId": key.id, "rateLimit": rate}, Text(sentence))


@keys.writes
async def revoke(context: CommandContext, key_id: KeyId, project: OfProject) -> CommandResult:
    """Revoke a key permanently. It stops working within a second."""
    owner = await platforms.find_project(context.tx, project)
    key = await _find(context, owner, key_id)
    await api_keys.revoke(context.tx, owner.platform_no, key.id)
    await _record(context, owner, "key.revoked", key.id, key.mode)
    return CommandResult({"keyId": key.id, "state": "revoked"}, Text(f"Revoked {_brief(key)} of {owner.name}."))


async def _record(context: CommandContext, owner: Project, action: str, key_id: str, mode: str, **more: str) -> None:
    details = {"project": owner.id, "mode": mode, **more}
    await audit.record(context.tx, owner.log_stream, action, by=audit.OPERATOR, about=key_id, details=details)


def _end_of(days: int | None) -> int | None:
    if days is None:
        return None
    if not 1 <= days <= _LONGEST_LIFE_DAYS:
        raise ValidationFailed(f"A key can expire after 1 to {_LONGEST_LIFE_DAYS:,} days.", param="expiresInDays")
    return clock.now() + days * clock.DAY


def _rate_of(per_second: str) -> int | None:
    if per_second == "unlimited":
        return None
    try:
        return int(per_second)
    except ValueError:
        raise ValidationFailed("A rate limit must be a whole number or `unlimited`.", param="perSecond") from None


async def _find(context: CommandContext, owner: Project, key_id: str) -> Row[Any]:
    for key in await api_keys.of_project(context.tx, owner.platform_no, owner.id):
        if key.id == key_id:
            return key
    raise NotFound(
        "The project does not have this key.",
        param="key",
        hint=f"`dream-api keys list --project {owner.id}` lists its keys.",
    )


def _issued_data(owner: Project, issued: api_keys.IssuedKey) -> dict[str, Any]:
    return {"projectId": owner.id, "keyId": issued.id, "mode": issued.mode, "secretKey": issued.token}


def _issued_facts(issued: api_keys.IssuedKey) -> dict[str, str | None]:
    return {"Secret key": issued.token, "Id": issued.id}


def _hint(issued: api_keys.IssuedKey) -> str:
    return "" if issued.mode == "test" else "Save the key now. It cannot be shown again."


def _data(key: Row[Any], now: int) -> dict[str, Any]:
    return {
        "keyId": key.id,
        "kind": key.kind,
        "mode": key.mode,
        "name": key.name,
        "shown": key.shown,
        "state": _state(key, now),
        "createdBy": key.created_by,
        "createdAt": clock.rfc3339(key.created_at),
        "expiresAt": _moment(key.expires_at),
        "revokedAt": _moment(key.revoked_at),
        "lastUsedAt": _moment(key.last_used_at),
        "rateLimit": key.rate_limit,
    }


def _state(key: Row[Any], now: int) -> Literal["working", "expired", "revoked"]:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "working"


def _state_shown(key: Row[Any], now: int) -> Text:
    state: str = _state(key, now)
    if state == "working" and key.expires_at is not None:
        state = f"expires {ago(key.expires_at)}"
    return Text.assemble(state, ("" if key.rate_limit is None else f"\n{key.rate_limit:,}/s", "dim"))


def _shown(key: Row[Any]) -> Text:
    return Text.assemble(_brief(key), (f"\n{key.name}" if key.name else "", "dim"))


def _brief(key: Row[Any]) -> str:
    return masked(key.shown) if key.kind == "publishable" else key.shown


def _moment(at: int | None) -> str | None:
    return None if at is None else clock.rfc3339(at)
