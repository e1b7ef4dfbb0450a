"""Requests that cannot be answered in one transaction, because a gateway is asked between two: their rows know them."""

from typing import Any

from sqlalchemy import Row, Table

from dream_api.billing import queries
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.idempotency import REMEMBERED, Once, refuse_another
from dream_api.gateways.contract import Account


async def begun(tx: Tx, table: Table, account: Account, once: Once | None) -> Row[Any] | None:
    """The row that the same request made before; its twin at this moment waits for this transaction.

    IdempotencyMismatch where it was another request; after a day the key is as good as new.
    """
    if once is None:
        return None
    await queries.hold_account(tx, account.platform_id, account.id)
    row = await queries.by_request(tx, account.platform_id, table, once.digest)
    if row is None:
        return None
    if row.created_at <= clock.now() - REMEMBERED:
        await queries.forget_request(tx, account.platform_id, table, row.id)
        return None
    refuse_another(once, row.fingerprint)
    return row
