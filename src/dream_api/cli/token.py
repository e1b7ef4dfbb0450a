"""`dream-api token`: the personal tokens of a platform's developers."""

from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from dream_api import accounts, audit, platforms
from dream_api.accounts import Role
from dream_api.core import clock
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, KeyValueTable, Table, ago, message
from dream_api.core.db import Row
from dream_api.core.errors import NotFound, ValidationFailed

token = CommandGroup()

OfPlatform = Annotated[str, typer.Option("--platform", metavar="ID", help="The platform's id.", show_default=False)]
TokenId = Annotated[
    str, typer.Argument(metavar="TOKEN_ID", help="The token's id, `tok_…`, from `token list`.", show_default=False)
]
_MADE_BY = "operator"
_LONGEST_LIFE_DAYS = 36_500


@token.writes
async def create(
    context: CommandContext,
    platform: OfPlatform,
    role: Annotated[
        Role,
        typer.Option(
            help="The permissions of the token. A viewer can only read; an owner can do everything.", show_default=False
        ),
    ],
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="The purpose of the token, or the person who uses it.")
    ] = "",
    expires_days: Annotated[
        int | None, typer.Option(metavar="N", help="The token expires after this number of days. Default: never.")
    ] = None,
) -> CommandResult:
    """Create a personal token for a developer's programs. It is shown only once."""
    owner = await platforms.find(context.tx, platform)
    expires_at = _end_of(expires_days)
    await platforms.require_open(context.tx, owner.no)
    issued = await accounts.issue_token(
        context.tx, owner.no, role, created_by=_MADE_BY, name=name, expires_at=expires_at
    )
    details = {"role": role}
    await audit.record(
        context.tx, owner.log_stream, "token.issued", by=audit.OPERATOR, about=issued.id, details=details
    )
    data = {
        "platformId": owner.id,
        "tokenId": issued.id,
        "role": role,
        "name": name,
        "token": issued.token,
        "expiresAt": _moment(expires_at),
    }
    facts = {"Token": issued.token, "Id": issued.id, "Expires": None if expires_at is None else ago(expires_at)}
    sentence = f"Created a personal token for {owner.name} with the role {role}."
    return CommandResult(
        data, message(sentence, KeyValueTable(facts), hint="Save the token now. It cannot be shown again.")
    )


@token.reads
async def list_(context: CommandContext, platform: OfPlatform) -> CommandResult:
    """List the personal tokens of a platform, oldest first. Expired and revoked tokens are included."""
    owner = await platforms.find(context.tx, platform)
    found = await accounts.list_platform_tokens(context.tx, owner.no)
    now = clock.now()
    listing = Table(
        ("Token", "Id", "Role", "State", "Last used"),
        [(_shown(row), row.id, row.role, _state_shown(row, now), ago(row.last_used_at)) for row in found],
        empty=f"{owner.name} has no tokens. "
        f"Create one with `dream-api token create --platform {owner.id} --role owner`.",
        elastic=(),
    )
    return CommandResult({"data": [_data(row, now) for row in found]}, listing)


@token.writes
async def revoke(context: CommandContext, token_id: TokenId) -> CommandResult:
    """Revoke a personal token permanently. It stops working within a second."""
    found = await accounts.find_token_on_any_platform(context.tx, token_id)
    if found is None:
        raise NotFound(
            "Token not found.",
            param="token",
            hint="`dream-api token list --platform ID` lists the tokens of a platform.",
        )
    await accounts.revoke_token(context.tx, found.platform_no, found.id)
    owner = await platforms.get(context.tx, found.platform_no)
    await audit.record(context.tx, owner.log_stream, "token.revoked", by=audit.OPERATOR, about=found.id)
    return CommandResult({"tokenId": found.id, "state": "revoked"}, Text(f"Revoked the personal token {found.shown}."))


def _end_of(days: int | None) -> int | None:
    if days is None:
        return None
    if not 1 <= days <= _LONGEST_LIFE_DAYS:
        raise ValidationFailed(f"A token can expire after 1 to {_LONGEST_LIFE_DAYS:,} days.", param="expiresDays")
    return clock.now() + days * clock.DAY


def _data(row: Row[Any], now: int) -> dict[str, Any]:
    return {
        "tokenId": row.id,
        "role": row.role,
        "name": row.name,
        "shown": row.shown,
        "state": _state(row, now),
        "createdBy": row.created_by,
        "createdAt": clock.rfc3339(row.created_at),
        "expiresAt": _moment(row.expires_at),
        "revokedAt": _moment(row.revoked_at),
        "lastUsedAt": _moment(row.last_used_at),
    }


def _state(row: Row[Any], now: int) -> Literal["working", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "working"


def _state_shown(row: Row[Any], now: int) -> str:
    state = _state(row, now)
    return f"expires {ago(row.expires_at)}" if state == "working" and row.expires_at is not None else state


def _shown(row: Row[Any]) -> Text:
    return Text.assemble(row.shown, (f"\n{row.name}" if row.name else "", "dim"))


def _moment(at: int | None) -> str | None:
    return None if at is None else clock.rfc3339(at)
