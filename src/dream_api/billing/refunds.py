"""Refunds: create the intent, send it to the gateway, sync the outcome."""

import json
from typing import Any

from sqlalchemy import Row

from dream_api.billing import event_sync, gateway_accounts, queries
from dream_api.billing.context import REFUND_FAILED, BillingContext
from dream_api.core import clock, ids, jobs
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Forbidden, NotFound, ValidationFailed
from dream_api.core.html.format import format_amount
from dream_api.core.idempotency import IdempotentRequest
from dream_api.core.metadata import Metadata, dump
from dream_api.gateways.contract import GatewayAccount, GatewayRefused
from dream_api.platforms import ProjectScope, RefundLimit

SEND_JOB = "billing.send_refund"
_ABANDONED = clock.MINUTE


class RefundTooLarge(Conflict):
    code = "refund_too_large"
    hint = "Read the payment and its refunds. Completed and pending refunds reduce the amount that can be refunded."


class RefundLimitExceeded(Forbidden):
    code = "refund_limit_exceeded"
    hint = "Ask an owner or admin to refund it, or to raise the project's refundLimit."


async def find_payment(tx: Tx, scope: ProjectScope, payment_id: str) -> tuple[GatewayAccount, Row[Any]]:
    payment = await queries.payment_in(tx, scope, payment_id)
    if payment is None:
        raise NotFound("Payment not found.", param="id")
    account = await gateway_accounts.find_account(tx, payment.account)
    assert account is not None
    return account, payment


async def create_refund(
    tx: Tx,
    account: GatewayAccount,
    payment_id: str,
    amount: int | None,
    *,
    reason: str | None = None,
    memo: dict[str, Any] | None = None,
    metadata: Metadata | None = None,
    once: IdempotentRequest | None = None,
    send_at_once: bool = False,
) -> Row[Any]:
    """The new refund of `amount` (None: all that is left); never more than was paid, also under concurrent refunds.

    The caller sends it with `send_refund`; a job does if the caller crashed, or right away with `send_at_once`.
    """
    payment = await queries.lock_payment(tx, account.platform_no, payment_id)
    if payment.status != "succeeded":
        raise GatewayRefused("Only successful payments can be refunded.", param="id")
    left = payment.amount - await queries.refunded_or_pending_amount(tx, account.platform_no, payment.id)
    wanted = left if amount is None else amount
    if amount is not None and amount < 1:
        raise ValidationFailed("The amount must be greater than zero.", param="amount")
    if wanted < 1 or wanted > left:
        raise RefundTooLarge(
            f"At most {format_amount(left, payment.currency)} of this payment can be refunded.", param="amount"
        )
    now = await gateway_accounts.account_now(tx, account)
    refund = await queries.insert_refund(
        tx,
        account,
        {
            "id": ids.new("ref"),
            "payment_id": payment.id,
            "status": "asked",
            "currency": payment.currency,
            "amount": wanted,
            "reason": reason,
            "memo": None if memo is None else json.dumps(memo),
            "metadata": dump(metadata or {}),
            "request": None if once is None else once.digest,
            "fingerprint": None if once is None else once.fingerprint,
            "created_at": now,
            "updated_at": now,
        },
    )
    real_now = clock.now()
    await jobs.enqueue(
        tx,
        SEND_JOB,
        {"id": refund.id},
        platform_no=account.platform_no,
        run_at=real_now if send_at_once else real_now + _ABANDONED,
    )
    return refund


async def require_refund_limit(tx: Tx, payment: Row[Any], limit: RefundLimit | None) -> None:
    """Raises RefundLimitExceeded where more of the payment goes back by now, all refunds together, than the limit."""
    if limit is None:
        raise RefundLimitExceeded("Only owners and admins can create refunds in this project.")
    gone = await queries.refunded_or_pending_amount(tx, payment.platform_no, payment.id)
    if payment.currency != limit.currency or gone > limit.amount:
        most = format_amount(limit.amount, limit.currency)
        raise RefundLimitExceeded(f"Members can refund up to {most} of a payment.", param="amount")


async def send_refund(billing: BillingContext, account: GatewayAccount, refund: Row[Any]) -> Row[Any]:
    """Send the refund to the gateway, idempotently, and return its synced row; no transaction may be open."""
    async with billing.database.read() as tx:
        payment = await queries.payment_by_id(tx, account.platform_no, refund.payment_id)
    assert payment is not None
    if refund.status == "asked":
        try:
            await billing.gateway_of(account).refund(
                account,
                payment.gateway_id,
                refund.amount,
                reason=refund.reason,
                metadata={"refund": refund.id},
                key=refund.id,
            )
        except GatewayRefused:
            await _fail(billing, account, refund, payment)
            raise
    await event_sync.sync_object(billing, account, "payment", payment.gateway_id)
    async with billing.database.read() as tx:
        written = await queries.refund_by_id(tx, account.platform_no, refund.id)
    assert written is not None
    return written


async def send_abandoned(billing: BillingContext, platform_no: int, refund_id: str) -> None:
    """For the job."""
    async with billing.database.read() as tx:
        refund = await queries.refund_by_id(tx, platform_no, refund_id)
        account = await gateway_accounts.find_account(tx, refund.account) if refund is not None else None
    if refund is not None and account is not None and refund.status == "asked":
        await send_refund(billing, account, refund)


async def _fail(billing: BillingContext, account: GatewayAccount, refund: Row[Any], payment: Row[Any]) -> None:
    """Mark the refund that the gateway rejected as failed."""
    async with billing.database.write() as tx:
        now = await gateway_accounts.account_now(tx, account)
        if not await queries.fail_refund(tx, account.platform_no, refund.id, now):
            return
        failed = await queries.refund_by_id(tx, account.platform_no, refund.id)
        await billing.events.emit(tx, REFUND_FAILED, refund=failed, payment=payment, now=now)
