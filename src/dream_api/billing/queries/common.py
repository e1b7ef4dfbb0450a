"""SQL shared by the tables of billing."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, insert, select, update

from dream_api.core.db import Tx
from dream_api.customers.tables import customers
from dream_api.gateways.contract import GatewayAccount
from dream_api.platforms import ProjectScope


async def insert_one(tx: Tx, account: GatewayAccount, table: Table, values: dict[str, Any]) -> Row[Any]:
    """A row of the account's project and mode."""
    whole = {
        "platform_no": account.platform_no,
        "project_id": account.project_id,
        "mode": account.mode,
        "account": account.id,
    }
    made = await tx.first(insert(table).values(whole | values).returning(*table.c))
    assert made is not None
    return made


async def update_one(tx: Tx, platform_no: int, table: Table, row_id: str, values: dict[str, Any]) -> Row[Any]:
    changed = await tx.first(
        update(table).where(table.c.platform_no == platform_no, table.c.id == row_id).values(values).returning(*table.c)
    )
    assert changed is not None
    return changed


async def by_id(tx: Tx, platform_no: int, table: Table, row_id: str, *, lock: bool = False) -> Row[Any] | None:
    """`lock`: nobody else changes it before this transaction ends."""
    query = select(table).where(table.c.platform_no == platform_no, table.c.id == row_id)
    return await tx.first(query.with_for_update() if lock else query)


async def by_gateway_id(tx: Tx, account: GatewayAccount, table: Table, gateway_id: str) -> Row[Any] | None:
    return await tx.first(
        select(table).where(
            table.c.platform_no == account.platform_no,
            table.c.account == account.id,
            table.c.gateway_id == gateway_id,
        )
    )


async def in_scope(tx: Tx, scope: ProjectScope, table: Table, row_id: str) -> Row[Any] | None:
    return await tx.first(select(table).where(*scoped(table, scope), table.c.id == row_id))


def scoped(table: Table, scope: ProjectScope) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.platform_no == scope.platform_no,
        table.c.project_id == scope.project_id,
        table.c.mode == scope.mode,
    )


async def newest_of_customer(
    tx: Tx, platform_no: int, table: Table, customer_id: str, *, limit: int
) -> Sequence[Row[Any]]:
    theirs = select(table).where(table.c.platform_no == platform_no, table.c.customer_id == customer_id)
    return await tx.all(theirs.order_by(table.c.id.desc()).limit(limit))


async def user_ids_by_id(tx: Tx, platform_no: int, table: Table, row_ids: Collection[str]) -> dict[str, str]:
    """User ids of the rows' customers, by row id."""
    same = and_(customers.c.platform_no == table.c.platform_no, customers.c.id == table.c.customer_id)
    query = select(table.c.id, customers.c.user_id).join(customers, same)
    rows = await tx.all(query.where(table.c.platform_no == platform_no, table.c.id.in_(sorted(row_ids))))
    return {row.id: row.user_id for row in rows}
