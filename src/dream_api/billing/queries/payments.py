"""SQL of payments, refunds and disputes."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from dream_api.billing.queries import common
from dream_api.billing.tables import disputes, payments, refunds
from dream_api.core.db import Tx
from dream_api.core.db import insert as upserting
from dream_api.gateways.contract import GatewayAccount
from dream_api.platforms import Mode, ProjectScope

p = payments.c
r = refunds.c


async def insert_payment(tx: Tx, account: GatewayAccount, values: dict[str, Any]) -> Row[Any]:
    return await common.insert_one(tx, account, payments, values)


async def update_payment(tx: Tx, platform_no: int, payment_id: str, values: dict[str, Any]) -> Row[Any]:
    return await common.update_one(tx, platform_no, payments, payment_id, values)


async def payment_by_id(tx: Tx, platform_no: int, payment_id: str) -> Row[Any] | None:
    return await common.by_id(tx, platform_no, payments, payment_id)


async def lock_payment(tx: Tx, platform_no: int, payment_id: str) -> Row[Any]:
    """The payment, locked until this transaction ends."""
    payment = await common.by_id(tx, platform_no, payments, payment_id, lock=True)
    assert payment is not None
    return payment


async def payment_by_gateway_id(tx: Tx, account: GatewayAccount, gateway_id: str) -> Row[Any] | None:
    return await common.by_gateway_id(tx, account, payments, gateway_id)


async def payment_in(tx: Tx, scope: ProjectScope, payment_id: str) -> Row[Any] | None:
    return await common.in_scope(tx, scope, payments, payment_id)


async def has_payments(tx: Tx, platform_no: int, project_id: str, mode: Mode) -> bool:
    """Whether any money came in, whatever became of it."""
    whose = (p.platform_no == platform_no, p.project_id == project_id, p.mode == mode)
    return await tx.first(select(p.id).where(*whose, p.status == "succeeded").limit(1)) is not None


async def payments_of_customer(tx: Tx, platform_no: int, customer_id: str, *, limit: int) -> Sequence[Row[Any]]:
    """Newest first."""
    return await common.newest_of_customer(tx, platform_no, payments, customer_id, limit=limit)


async def payments_of_checkout(tx: Tx, platform_no: int, checkout_id: str) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(
        select(payments).where(p.platform_no == platform_no, p.checkout_id == checkout_id).order_by(p.id)
    )


async def payments_of_invoices(
    tx: Tx, scope: ProjectScope, customer_id: str, gateway_ids: Sequence[str], *, limit: int
) -> Sequence[Row[Any]]:
    """What a customer paid of these invoices, by the gateway's ids, or tried to; newest first."""
    which = (*common.scoped(payments, scope), p.customer_id == customer_id, p.invoice.in_(gateway_ids))
    return await tx.all(select(payments).where(*which).order_by(p.id.desc()).limit(limit))


async def insert_refund(tx: Tx, account: GatewayAccount, values: dict[str, Any]) -> Row[Any]:
    return await common.insert_one(tx, account, refunds, values)


async def update_refund(tx: Tx, platform_no: int, refund_id: str, values: dict[str, Any]) -> Row[Any]:
    return await common.update_one(tx, platform_no, refunds, refund_id, values)


async def fail_refund(tx: Tx, platform_no: int, refund_id: str, now: int) -> bool:
    """Whether it was still only asked for."""
    failed = (
        update(refunds)
        .where(r.platform_no == platform_no, r.id == refund_id, r.status == "asked")
        .values(status="failed", updated_at=now)
    )
    return await tx.execute(failed) == 1


async def refund_by_id(tx: Tx, platform_no: int, refund_id: str) -> Row[Any] | None:
    return await common.by_id(tx, platform_no, refunds, refund_id)


async def refund_of(tx: Tx, account: GatewayAccount, refund_id: str | None, gateway_id: str) -> Row[Any] | None:
    """By our own id in the metadata; a refund that was created at the gateway by the gateway's id."""
    known = None if refund_id is None else await common.by_id(tx, account.platform_no, refunds, refund_id)
    return known if known is not None else await common.by_gateway_id(tx, account, refunds, gateway_id)


async def refunds_of(tx: Tx, platform_no: int, payment_id: str) -> Sequence[Row[Any]]:
    """Oldest first."""
    return await tx.all(select(refunds).where(r.platform_no == platform_no, r.payment_id == payment_id).order_by(r.id))


async def refunded_or_pending_amount(tx: Tx, platform_no: int, payment_id: str) -> int:
    """What went back, and what is on its way."""
    total = select(func.coalesce(func.sum(r.amount), 0)).where(
        r.platform_no == platform_no, r.payment_id == payment_id, r.status != "failed"
    )
    return int(await tx.scalar(total))


async def put_dispute(tx: Tx, account: GatewayAccount, row: dict[str, Any]) -> bool:
    """Whether it is new."""
    d = disputes.c
    known = await tx.first(
        select(d.id).where(d.platform_no == account.platform_no, d.account == account.id, d.id == row["id"])
    )
    whole = row | {
        "platform_no": account.platform_no,
        "account": account.id,
        "project_id": account.project_id,
        "mode": account.mode,
    }
    putting = upserting(disputes).values(whole)
    changed = {name: putting.excluded[name] for name in ("status", "amount", "updated_at")}
    await tx.execute(putting.on_conflict_do_update(index_elements=list(disputes.primary_key), set_=changed))
    return known is None


async def user_ids_by_payment(tx: Tx, platform_no: int, row_ids: Collection[str]) -> dict[str, str]:
    """The user ids of their customers, by the payments' ids."""
    return await common.user_ids_by_id(tx, platform_no, payments, row_ids)
