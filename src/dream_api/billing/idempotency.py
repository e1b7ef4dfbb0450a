"""Requests that cannot be answered in one transaction, because a gateway is asked between two: their rows know them."""

from typing import Any

from sqlalchemy import Row, Table

from dream_api.billing import queries
from dream_api.billing.tables import checkouts, refunds
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.idempotency import RETENTION, IdempotentRequest, require_same_request
from dream_api.gateways.contract import GatewayAccount


async def begun_checkout(tx: Tx, account: GatewayAccount, once: IdempotentRequest | None) -> Row[Any] | None:
    """The checkout that the same request began before; its twin at this moment waits for this transaction.

    IdempotencyMismatch where it was another request; after a day the key is as good as new.
    """
    return await _begun(tx, checkouts, account, once)


async def begun_refund(tx: Tx, account: GatewayAccount, once: IdempotentRequest | None) -> Row[Any] | None:
    """As `begun_checkout`, of refunds."""
    return await _begun(tx, refunds, account, once)


async def _begun(tx: Tx, table: Table, account: GatewayAccount, once: IdempotentRequest | None) -> Row[Any] | None:
    if once is None:
        return None
    await queries.hold_account(tx, account.platform_id, account.id)
    row = await queries.by_request(tx, account.platform_id, table, once.digest)
    if row is None:
        return None
    if row.created_at <= clock.now() - RETENTION:
        await queries.forget_request(tx, account.platform_id, table, row.id)
        return None
    require_same_request(once, row.fingerprint)
    return row
