"""`dream-api events`: the webhook events of gateways, and applying one again."""

from typing import Annotated, Any

import typer

from dream_api import platforms
from dream_api.billing import gateway_accounts, queries, webhook_intake
from dream_api.core import clock, jobs
from dream_api.core.console import CommandContext, CommandGroup, CommandResult, Table, ago, message
from dream_api.core.db import Row
from dream_api.core.errors import NotFound
from dream_api.platforms import Mode

events = CommandGroup()

OfProject = Annotated[str, typer.Option("--project", metavar="ID", help="The project's id.", show_default=False)]
InMode = Annotated[Mode, typer.Option(help="The mode of the events.")]
_MOST = 1_000


@events.reads
async def list_(
    context: CommandContext,
    project: OfProject,
    mode: InMode = "test",
    limit: Annotated[
        int, typer.Option(min=1, max=_MOST, metavar="N", help="The maximum number of events, newest first.")
    ] = 20,
) -> CommandResult:
    """List the webhook events that the project's payment gateway sent. They are kept for 90 days."""
    owner = await platforms.find_project(context.tx, project)
    scope = platforms.ProjectScope(owner.platform_no, owner.id, mode)
    found = await queries.events_of(context.tx, scope, limit=limit)
    listing = Table(
        ("Event", "Type", "About", "Received", "Applied"),
        [
            (row.id, row.type, row.object_id or "", ago(row.received_at), "yes" if row.applied_at else "not yet")
            for row in found
        ],
        empty="The payment gateway has not sent any events yet. Create a checkout with POST /api/create-checkout.",
        elastic=("Event", "About"),
    )
    return CommandResult({"data": [_data(row) for row in found]}, listing)


@events.writes
async def replay(
    context: CommandContext,
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="The gateway's id of the event, `evt_…`.", show_default=False)
    ],
    project: OfProject,
    mode: InMode = "test",
) -> CommandResult:
    """Apply a webhook event again.

    The current state of its object is read at the gateway and stored.
    """
    owner = await platforms.find_project(context.tx, project)
    scope = platforms.ProjectScope(owner.platform_no, owner.id, mode)
    account = await gateway_accounts.ensure_account(context.tx, scope)
    row = await queries.event_by_id(context.tx, account, event)
    if row is None or row.object_id is None:
        raise NotFound("Event not found, or its object is not stored on this instance.", param="event")
    await queries.mark_unapplied(context.tx, account, event)
    payload = {"account": account.id, "event": event}
    await jobs.enqueue(context.tx, webhook_intake.APPLY_JOB, payload, platform_no=account.platform_no)
    return CommandResult(
        {"event": event, "about": row.object_id}, message(f"{event} will be applied again in a moment.")
    )


def _data(row: Row[Any]) -> dict[str, Any]:
    return {
        "event": row.id,
        "type": row.type,
        "about": row.object_id,
        "receivedAt": clock.rfc3339(row.received_at),
        "appliedAt": None if row.applied_at is None else clock.rfc3339(row.applied_at),
    }
