"""Expires unpaid checkouts, at the gateway and here."""

from typing import Any

from sqlalchemy import Row

from dream_api.billing import checkouts, event_sync, queries
from dream_api.billing.context import BillingContext
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount

# How long to wait for the gateway's event of an expired checkout before polling it.
_OVERDUE = 2 * clock.MINUTE


async def next_overdue_at(tx: Tx, account: GatewayAccount) -> int | None:
    """When the next checkout is overdue: expired, without an event from the gateway."""
    unpaid = await queries.next_unpaid(tx, account)
    return None if unpaid is None else unpaid.expires_at + _OVERDUE


async def expire_overdue(billing: BillingContext, account: GatewayAccount, now: int) -> bool:
    """Expire the first overdue checkout; whether there was one."""
    async with billing.database.read() as tx:
        unpaid = await queries.next_unpaid(tx, account)
    if unpaid is None or unpaid.expires_at + _OVERDUE > now:
        return False
    await expire_checkout(billing, account, unpaid)
    return True


async def expire_checkout(billing: BillingContext, account: GatewayAccount, checkout: Row[Any]) -> None:
    """Nobody can pay the checkout after this; one that was paid before is complete."""
    opened = await checkouts.open_page(billing, account, checkout)
    await billing.gateway_of(account).expire_checkout(account, opened.gateway_id)
    await event_sync.sync_object(billing, account, "checkout", opened.gateway_id)
