"""`dream-api operator-link`: the link by which the operator's account is created."""

from typing import Annotated

import typer

from dream_api import platforms
from dream_api.cli.first_steps import operator_url
from dream_api.core.console import (
    CommandContext,
    CommandError,
    CommandGroup,
    CommandResult,
    KeyValueTable,
    ago,
    message,
)

operator_link = CommandGroup()


@operator_link.writes
async def operator_link_shown(
    context: CommandContext,
    another: Annotated[
        bool, typer.Option("--another", help="Create a link for one more operator, even if there is one already.")
    ] = False,
) -> CommandResult:
    """Show the link that creates the operator's account. It works once. If it has expired, a new one is created."""
    if not another and not await platforms.operator_is_missing(context.tx):
        raise CommandError(
            "The operator's account is set up already.",
            code="operator_exists",
            hint="Sign in at /account/sign-in. If no operator can sign in, use `dream-api operator-link --another`.",
        )
    create = platforms.create_operator_link if another else platforms.pending_operator_link
    link = operator_url(context.settings, await create(context.tx, await context.instance_key()))
    facts = KeyValueTable({"Link": link.url, "Expires": ago(link.expires_at)})
    return CommandResult(link.data, message("Open this link to become the operator of this instance:", facts))
