"""What invoices, payments and refunds at the gateway mean here."""

import json
from typing import Any

from sqlalchemy import Row

from dream_api import webhooks
from dream_api.billing import queries
from dream_api.billing.context import REFUND_FAILED, REFUND_SUCCEEDED
from dream_api.core import clock, ids
from dream_api.core.db import Tx
from dream_api.core.events import Events
from dream_api.gateways.contract import DisputeFacts, GatewayAccount, InvoiceFacts, PaymentFacts, RefundFacts
from dream_api.webhooks import Event, EventType


async def sync_invoice(tx: Tx, account: GatewayAccount, facts: InvoiceFacts) -> Row[Any]:
    """The invoice's row, as the gateway has it."""
    known = await queries.invoice_by_gateway_id(tx, account, facts.id)
    customer_id = await queries.customer_at_gateway(tx, account.platform_id, account.id, facts.customer)
    subscription = None
    if facts.subscription is not None:
        subscription = await queries.subscription_by_gateway_id(tx, account, facts.subscription)
    values = {
        "customer_id": customer_id,
        "subscription_id": None if subscription is None else subscription.id,
        "number": facts.number,
        "status": facts.status,
        "reason": facts.reason,
        "currency": facts.currency,
        "subtotal": facts.subtotal,
        "discount": facts.discount,
        "total": facts.total,
        "amount_due": facts.amount_due,
        "amount_paid": facts.amount_paid,
        "period_starts_at": facts.period_starts_at,
        "period_ends_at": facts.period_ends_at,
        "paid_at": facts.paid_at,
        "attempts": facts.attempts,
        "next_attempt_at": facts.next_attempt_at,
        "lines": json.dumps(
            [
                {
                    "description": line.description,
                    "amount": line.amount,
                    "quantity": line.quantity,
                    "priceId": line.price_id,
                }
                for line in facts.lines
            ]
        ),
        "gateway_id": facts.id,
        "created_at": facts.created_at,
        "updated_at": clock.now(),
    }
    if known is None:
        written = await queries.insert_invoice(tx, account, values | {"id": ids.new("inv")})
    else:
        written = await queries.update_invoice(tx, account.platform_id, known.id, values)
    was = (None, 0) if known is None else (known.status, known.attempts)
    if written.status == "paid" and was[0] != "paid":
        await _tell(tx, account, "invoice.paid", _of_invoice(written))
    elif written.status == "open" and written.attempts > was[1]:
        await _tell(tx, account, "invoice.payment_failed", _of_invoice(written))
    return written


async def sync_payment(tx: Tx, events: Events, account: GatewayAccount, facts: PaymentFacts, now: int) -> None:
    """The payment's row with all its refunds and disputes; who asked for a refund hears once what became of it."""
    known = await queries.payment_by_gateway_id(tx, account, facts.id)
    customer_id = facts.metadata.get("customer")
    if customer_id is None and facts.customer is not None:
        customer_id = await queries.customer_at_gateway(tx, account.platform_id, account.id, facts.customer)
    values = {
        "customer_id": customer_id if known is None else known.customer_id or customer_id,
        "invoice": facts.invoice,
        "checkout_id": facts.metadata.get("checkout"),
        "status": facts.status,
        "currency": facts.currency,
        "amount": facts.amount,
        "refunded": sum(refund.amount for refund in facts.refunds if refund.status == "succeeded"),
        "method": facts.method,
        "brand": facts.brand,
        "last4": facts.last4,
        "failure": facts.failure,
        "gateway_id": facts.id,
        "created_at": facts.created_at,
        "updated_at": clock.now(),
    }
    if known is None:
        payment = await queries.insert_payment(tx, account, values | {"id": ids.new("pay")})
    else:
        payment = await queries.update_payment(tx, account.platform_id, known.id, values)
    if payment.status == "succeeded" and (known is None or known.status != "succeeded"):
        await _tell(tx, account, "payment.succeeded", _of_payment(payment))
    elif payment.status == "failed" and (known is None or known.failure != payment.failure):
        await _tell(tx, account, "payment.failed", _of_payment(payment))
    for refund in facts.refunds:
        await _follow_refund(tx, events, account, payment, refund, now)
    for dispute in facts.disputes:
        await _follow_dispute(tx, account, payment, dispute)


async def _follow_refund(
    tx: Tx, events: Events, account: GatewayAccount, payment: Row[Any], facts: RefundFacts, now: int
) -> None:
    known = await queries.refund_of(tx, account, facts.metadata.get("refund"), facts.id)
    values = {"status": facts.status, "gateway_id": facts.id, "updated_at": clock.now()}
    if known is None:
        written = await queries.insert_refund(
            tx,
            account,
            values
            | {
                "id": ids.new("ref"),
                "payment_id": payment.id,
                "currency": payment.currency,
                "amount": facts.amount,
                "reason": facts.reason,
                "created_at": facts.created_at,
            },
        )
    else:
        written = await queries.update_refund(tx, account.platform_id, known.id, values)
    if known is not None and known.status == written.status:
        return
    if written.status == "succeeded":
        await events.emit(tx, REFUND_SUCCEEDED, refund=written, payment=payment, now=now)
        await _tell(tx, account, "payment.refunded", _of_payment(payment) | {"refund": written.id})
    elif written.status == "failed":
        await events.emit(tx, REFUND_FAILED, refund=written, payment=payment, now=now)


async def _follow_dispute(tx: Tx, account: GatewayAccount, payment: Row[Any], facts: DisputeFacts) -> None:
    is_new = await queries.put_dispute(
        tx,
        account,
        {
            "id": facts.id,
            "payment_id": payment.id,
            "status": facts.status,
            "reason": facts.reason,
            "currency": payment.currency,
            "amount": facts.amount,
            "created_at": facts.created_at,
            "updated_at": clock.now(),
        },
    )
    if is_new:
        told = _of_payment(payment) | {"reason": facts.reason, "disputed": facts.amount}
        await _tell(tx, account, "payment.disputed", told)


async def _tell(tx: Tx, account: GatewayAccount, kind: EventType, data: dict[str, object]) -> None:
    await webhooks.record_events(tx, [Event(account.platform_id, account.project_id, account.mode, kind, data)])


def _of_invoice(invoice: Row[Any]) -> dict[str, object]:
    return {
        "invoice": invoice.id,
        "subscription": invoice.subscription_id,
        "status": invoice.status,
        "currency": invoice.currency,
        "amountDue": invoice.amount_due,
        "attempts": invoice.attempts,
    }


def _of_payment(payment: Row[Any]) -> dict[str, object]:
    return {
        "payment": payment.id,
        "status": payment.status,
        "currency": payment.currency,
        "amount": payment.amount,
        "refundedAmount": payment.refunded,
        "failure": payment.failure,
    }
