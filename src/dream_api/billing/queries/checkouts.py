"""SQL of checkouts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Table, insert, select, update

from dream_api.billing.queries import common
from dream_api.billing.tables import checkouts, payments
from dream_api.core.db import Tx
from dream_api.core.metadata import EMPTY
from dream_api.gateways.contract import GatewayAccount

c = checkouts.c


async def insert_checkout(tx: Tx, platform_no: int, row: dict[str, Any]) -> Row[Any]:
    made = await tx.first(insert(checkouts).values(platform_no=platform_no, **row).returning(*c))
    assert made is not None
    return made


async def open_checkout(tx: Tx, platform_no: int, checkout_id: str, values: dict[str, Any]) -> Row[Any]:
    """The page's address; a checkout that has ended meanwhile stays ended."""
    await tx.execute(
        update(checkouts)
        .where(c.platform_no == platform_no, c.id == checkout_id, c.status == "opening")
        .values(status=values["status"])
    )
    del values["status"]
    return await common.update_one(tx, platform_no, checkouts, checkout_id, values)


async def end_checkout(tx: Tx, platform_no: int, checkout_id: str, values: dict[str, Any]) -> Row[Any]:
    return await common.update_one(tx, platform_no, checkouts, checkout_id, values)


async def checkout_by_id(tx: Tx, platform_no: int, checkout_id: str) -> Row[Any] | None:
    return await common.by_id(tx, platform_no, checkouts, checkout_id)


async def lock_checkout(tx: Tx, platform_no: int, checkout_id: str) -> Row[Any] | None:
    return await common.by_id(tx, platform_no, checkouts, checkout_id, lock=True)


async def metadata_of_checkout(tx: Tx, account: GatewayAccount, checkout_id: str | None) -> str:
    """What the caller attached to the checkout, as JSON; none where the account has no such checkout."""
    if checkout_id is None:
        return EMPTY
    found = await tx.scalar(
        select(c.metadata).where(c.platform_no == account.platform_no, c.id == checkout_id, c.account == account.id)
    )
    return found or EMPTY


async def has_failed_payment(tx: Tx, platform_no: int, checkout_id: str) -> bool:
    """Whether somebody tried to pay it, and could not."""
    failed = select(payments.c.id).where(
        payments.c.platform_no == platform_no,
        payments.c.checkout_id == checkout_id,
        payments.c.status == "failed",
    )
    return await tx.first(failed.limit(1)) is not None


async def next_unpaid(tx: Tx, account: GatewayAccount) -> Row[Any] | None:
    """Of those that nobody has paid, the one that ends first."""
    return await tx.first(
        select(checkouts)
        .where(
            c.platform_no == account.platform_no,
            c.account == account.id,
            c.status.in_(("opening", "open")),
        )
        .order_by(c.expires_at)
        .limit(1)
    )


async def unpaid_of_customer(tx: Tx, platform_no: int, customer_id: str) -> Sequence[Row[Any]]:
    """Those that the customer could still pay."""
    which = (c.platform_no == platform_no, c.customer_id == customer_id, c.status.in_(("opening", "open")))
    return await tx.all(select(checkouts).where(*which).order_by(c.id))


async def by_request(tx: Tx, platform_no: int, table: Table, digest: bytes) -> Row[Any] | None:
    return await tx.first(select(table).where(table.c.platform_no == platform_no, table.c.request == digest))


async def clear_request(tx: Tx, platform_no: int, table: Table, row_id: str) -> None:
    await common.update_one(tx, platform_no, table, row_id, {"request": None})
