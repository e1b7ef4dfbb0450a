"""Checkouts that nobody paid: however they stand at the gateway, they are ended."""

from typing import Any

from sqlalchemy import Row

from dream_api.billing import checkouts, event_sync, queries
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount

# How long the gateway has to say that a checkout has ended before it is asked.
_OVERDUE = 2 * clock.MINUTE


async def next_overdue(tx: Tx, account: GatewayAccount) -> int | None:
    """When the next checkout should long have ended, although the gateway did not say so."""
    unpaid = await queries.next_unpaid(tx, account)
    return None if unpaid is None else unpaid.expires_at + _OVERDUE


async def end_overdue(billing: BillingContext, account: GatewayAccount, now: int) -> bool:
    """Ask the gateway how the first overdue checkout ended, and have it end; whether there was one."""
    async with billing.database.read() as tx:
        unpaid = await queries.next_unpaid(tx, account)
    if unpaid is None or unpaid.expires_at + _OVERDUE > now:
        return False
    await end(billing, account, unpaid)
    return True


async def end(billing: BillingContext, account: GatewayAccount, checkout: Row[Any]) -> None:
    """Nobody can pay the checkout after this; one that was paid before is complete."""
    opened = await checkouts.open_page(billing, account, checkout)
    await billing.gateway_of(account).expire_checkout(account, opened.gateway_id)
    await event_sync.sync_object(billing, account, "checkout", opened.gateway_id)
