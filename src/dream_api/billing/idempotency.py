"""Idempotency of two-step requests: commit the intent, call the gateway, commit the result."""

from typing import Any

from sqlalchemy import Row, Table

from dream_api.billing import queries
from dream_api.billing.tables import checkouts, refunds
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.idempotency import RETENTION, IdempotentRequest, require_same_request
from dream_api.gateways.contract import GatewayAccount


async def find_started_checkout(tx: Tx, account: GatewayAccount, once: IdempotentRequest | None) -> Row[Any] | None:
    """The checkout that an earlier attempt of the request created; a concurrent one waits for this transaction.

    IdempotencyMismatch where it was another request; after a day the key is as good as new.
    """
    return await _find_started(tx, checkouts, account, once)


async def find_started_refund(tx: Tx, account: GatewayAccount, once: IdempotentRequest | None) -> Row[Any] | None:
    """The same for refunds."""
    return await _find_started(tx, refunds, account, once)


async def _find_started(
    tx: Tx, table: Table, account: GatewayAccount, once: IdempotentRequest | None
) -> Row[Any] | None:
    if once is None:
        return None
    await queries.lock_account(tx, account.platform_no, account.id)
    row = await queries.by_request(tx, account.platform_no, table, once.digest)
    if row is None:
        return None
    if _is_over(row.id):
        await queries.clear_request(tx, account.platform_no, table, row.id)
        return None
    require_same_request(once, row.fingerprint)
    return row


def _is_over(row_id: str) -> bool:
    """In real time, which the id holds: the row's own time is its project's, which a test clock puts ahead."""
    return row_id < ids.first_at(row_id.partition("_")[0], clock.now() - RETENTION)
