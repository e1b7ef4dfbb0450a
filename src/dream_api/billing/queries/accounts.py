"""SQL of gateway accounts and gateway customers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, func, select, union

from dream_api.billing.tables import checkouts, gateway_customers, subscriptions
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox.tables import sandbox_objects
from dream_api.gateways.tables import gateway_accounts
from dream_api.platforms import Mode
from dream_api.platforms.tables import test_clocks

a = gateway_accounts.c
g = gateway_customers.c
# What falls due, and when: the gateway's own, plans that nobody pays, checkouts that nobody paid.
_DUE = (
    (sandbox_objects, sandbox_objects.c.due_at, sandbox_objects.c.due_at.is_not(None)),
    (subscriptions, subscriptions.c.lapses_at, subscriptions.c.holds),
    (checkouts, checkouts.c.expires_at, checkouts.c.status.in_(("opening", "open"))),
)


async def account_of_project(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> Row[Any] | None:
    return await tx.first(
        select(gateway_accounts).where(a.platform_no == platform_no, a.project_id == project_id, a.mode == mode)
    )


async def account_by_id(tx: Tx, account_id: str) -> Row[Any] | None:
    """The directory: no tenant is known yet."""
    return await tx.first(select(gateway_accounts).where(a.id == account_id))


async def accounts_of_platform(tx: Tx, platform_no: int) -> Sequence[Row[Any]]:
    return await tx.all(select(gateway_accounts).where(a.platform_no == platform_no).order_by(a.id))


async def insert_account(tx: Tx, platform_no: int, row: dict[str, Any]) -> None:
    """Nothing where another has just made it."""
    await tx.execute(upserting(gateway_accounts).values(platform_no=platform_no, **row).on_conflict_do_nothing())


async def lock_account(tx: Tx, platform_no: int, account_id: str) -> None:
    """Nobody else who holds it goes on before this transaction ends."""
    await tx.first(select(a.id).where(a.platform_no == platform_no, a.id == account_id).with_for_update())


async def put_gateway_customer(
    tx: Tx, account: GatewayAccount, gateway_customer: str, customer_id: str, now: int
) -> None:
    """The first one stays."""
    row = {
        "platform_no": account.platform_no,
        "account": account.id,
        "id": gateway_customer,
        "customer_id": customer_id,
        "created_at": now,
    }
    await tx.execute(upserting(gateway_customers).values(row).on_conflict_do_nothing())


async def gateway_customer_of(tx: Tx, platform_no: int, account_id: str, customer_id: str) -> str | None:
    return await tx.scalar(
        select(g.id).where(g.platform_no == platform_no, g.account == account_id, g.customer_id == customer_id)
    )


async def customer_at_gateway(tx: Tx, platform_no: int, account_id: str, gateway_customer: str) -> str | None:
    """Our id of the customer."""
    return await tx.scalar(
        select(g.customer_id).where(g.platform_no == platform_no, g.account == account_id, g.id == gateway_customer)
    )


async def accounts_due(tx: Tx, now: int) -> Sequence[str]:
    """The accounts of projects in which something is due by their own time."""
    return [
        row.account for row in await tx.all(union(*(_due(table, due_at, which, now) for table, due_at, which in _DUE)))
    ]


def _due(table: Table, due_at: Column[int], which: ColumnElement[bool], now: int) -> Select[Any]:
    """Only test mode may be ahead."""
    t = test_clocks.c
    clock_of = (t.platform_no == table.c.platform_no) & (t.project_id == table.c.project_id)
    if "mode" in table.c:
        clock_of &= table.c.mode == "test"
    joined = select(table.c.account).outerjoin(test_clocks, clock_of)
    return joined.where(which, due_at <= now + func.coalesce(t.ahead, 0))
