"""SQL of the sandbox."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, insert, select, update

from dream_api.core.db import Tx
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox.tables import sandbox_events, sandbox_objects, sandbox_requests
from dream_api.gateways.tables import gateway_accounts

a, o, e, r = gateway_accounts.c, sandbox_objects.c, sandbox_events.c, sandbox_requests.c


def _accounts() -> Select[*tuple[Any, ...]]:
    columns = select(a.id, a.gateway, a.platform_no, a.project_id, a.mode)
    return columns.where(a.gateway == "sandbox", a.mode == "test")


def _account(row: Row[Any]) -> GatewayAccount:
    return GatewayAccount(row.id, row.gateway, row.platform_no, row.project_id, row.mode)


async def account_by_id(tx: Tx, account_id: str) -> GatewayAccount | None:
    row = await tx.first(_accounts().where(a.id == account_id))
    return None if row is None else _account(row)


async def lock_account(tx: Tx, account_id: str) -> GatewayAccount | None:
    """The account, locked until this transaction ends."""
    row = await tx.first(_accounts().where(a.id == account_id).with_for_update())
    return None if row is None else _account(row)


async def object_by_id(tx: Tx, platform_no: int, account: str, object_id: str) -> Row[Any] | None:
    clause = select(sandbox_objects).where(o.platform_no == platform_no, o.account == account, o.id == object_id)
    return await tx.first(clause)


async def children(tx: Tx, platform_no: int, account: str, parent: str, kind: str) -> Sequence[Row[Any]]:
    """Oldest first."""
    clause = select(sandbox_objects).where(o.platform_no == platform_no, o.account == account, o.parent == parent)
    return await tx.all(clause.where(o.kind == kind).order_by(o.id))


async def first_due(tx: Tx, platform_no: int, account: str) -> Row[Any] | None:
    clause = select(sandbox_objects).where(o.platform_no == platform_no, o.account == account, o.due_at.is_not(None))
    return await tx.first(clause.order_by(o.due_at, o.id).limit(1))


async def insert_object(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(sandbox_objects).values(platform_no=platform_no, **row))


async def update_object(tx: Tx, platform_no: int, account: str, object_id: str, row: dict[str, Any]) -> None:
    where = (o.platform_no == platform_no, o.account == account, o.id == object_id)
    await tx.execute(update(sandbox_objects).where(*where).values(row))


async def insert_event(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    await tx.execute(insert(sandbox_events).values(platform_no=platform_no, **row))


async def undelivered(
    tx: Tx, platform_no: int, account: str, only: Collection[str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Id and payload, in the order in which they happened; `only`: of these events."""
    query = select(e.id, e.payload).where(e.platform_no == platform_no, e.account == account, e.delivered_at.is_(None))
    if only is not None:
        query = query.where(e.id.in_(only))
    return await tx.all(query.order_by(e.id).limit(limit))


async def mark_delivered(tx: Tx, platform_no: int, account: str, event_ids: Sequence[str], at: int) -> int:
    """How many of them were not delivered before."""
    where = (e.platform_no == platform_no, e.account == account, e.id.in_(event_ids), e.delivered_at.is_(None))
    return await tx.execute(update(sandbox_events).where(*where).values(delivered_at=at))


async def find_response(tx: Tx, platform_no: int, account: str, key: str) -> str | None:
    clause = select(r.answer).where(r.platform_no == platform_no, r.account == account, r.key == key)
    return await tx.scalar(clause)


async def insert_response(tx: Tx, platform_no: int, account: str, row: dict[str, Any]) -> None:
    await tx.execute(insert(sandbox_requests).values(platform_no=platform_no, account=account, **row))
