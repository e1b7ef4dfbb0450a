"""Syncs invoices, payments, refunds and disputes from the gateway."""

import json
from typing import Any

from sqlalchemy import Row

from dream_api import webhooks
from dream_api.billing import queries
from dream_api.billing.context import REFUND_FAILED, REFUND_SUCCEEDED
from dream_api.core import ids, metadata
from dream_api.core.db import Tx
from dream_api.core.events import Events
from dream_api.gateways.contract import (
    DisputeSnapshot,
    GatewayAccount,
    InvoiceSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
)
from dream_api.webhooks import Event, EventType


async def sync_invoice(tx: Tx, account: GatewayAccount, snapshot: InvoiceSnapshot, now: int) -> Row[Any]:
    """The invoice's row, as the gateway has it."""
    known = await queries.invoice_by_gateway_id(tx, account, snapshot.id)
    customer_id = await queries.customer_at_gateway(tx, account.platform_no, account.id, snapshot.customer)
    subscription = None
    if snapshot.subscription is not None:
        subscription = await queries.subscription_by_gateway_id(tx, account, snapshot.subscription)
    values = {
        "customer_id": customer_id,
        "subscription_id": None if subscription is None else subscription.id,
        "number": snapshot.number,
        "status": snapshot.status,
        "reason": snapshot.reason,
        "currency": snapshot.currency,
        "subtotal": snapshot.subtotal,
        "discount": snapshot.discount,
        "total": snapshot.total,
        "amount_due": snapshot.amount_due,
        "amount_paid": snapshot.amount_paid,
        "period_starts_at": snapshot.period_starts_at,
        "period_ends_at": snapshot.period_ends_at,
        "paid_at": snapshot.paid_at,
        "attempts": snapshot.attempts,
        "next_attempt_at": snapshot.next_attempt_at,
        "lines": json.dumps(
            [
                {
                    "description": line.description,
                    "amount": line.amount,
                    "quantity": line.quantity,
                    "priceId": line.price_id,
                }
                for line in snapshot.lines
            ]
        ),
        "gateway_id": snapshot.id,
        "created_at": snapshot.created_at,
        "updated_at": now,
    }
    if known is None:
        attached = metadata.EMPTY if subscription is None else subscription.metadata
        written = await queries.insert_invoice(tx, account, values | {"id": ids.new("inv"), "metadata": attached})
    else:
        written = await queries.update_invoice(tx, account.platform_no, known.id, values)
    was = (None, 0) if known is None else (known.status, known.attempts)
    if written.status == "paid" and was[0] != "paid":
        await _emit_event(tx, account, "invoice.paid", _of_invoice(written), now)
    elif written.status == "open" and written.attempts > was[1]:
        await _emit_event(tx, account, "invoice.payment_failed", _of_invoice(written), now)
    return written


async def sync_payment(tx: Tx, events: Events, account: GatewayAccount, snapshot: PaymentSnapshot, now: int) -> None:
    """The payment's row with all its refunds and disputes; who asked for a refund hears once what became of it."""
    known = await queries.payment_by_gateway_id(tx, account, snapshot.id)
    customer_id = snapshot.metadata.get("customer")
    if customer_id is None and snapshot.customer is not None:
        customer_id = await queries.customer_at_gateway(tx, account.platform_no, account.id, snapshot.customer)
    values = {
        "customer_id": customer_id if known is None else known.customer_id or customer_id,
        "invoice": snapshot.invoice,
        "checkout_id": snapshot.metadata.get("checkout"),
        "status": snapshot.status,
        "currency": snapshot.currency,
        "amount": snapshot.amount,
        "refunded": sum(refund.amount for refund in snapshot.refunds if refund.status == "succeeded"),
        "method": snapshot.method,
        "brand": snapshot.brand,
        "last4": snapshot.last4,
        "failure": snapshot.failure,
        "gateway_id": snapshot.id,
        "created_at": snapshot.created_at,
        "updated_at": now,
    }
    if known is None:
        attached = await _metadata_of(tx, account, snapshot)
        payment = await queries.insert_payment(tx, account, values | {"id": ids.new("pay"), "metadata": attached})
    else:
        payment = await queries.update_payment(tx, account.platform_no, known.id, values)
    if payment.status == "succeeded" and (known is None or known.status != "succeeded"):
        await _emit_event(tx, account, "payment.succeeded", _of_payment(payment), now)
    elif payment.status == "failed" and (known is None or known.failure != payment.failure):
        await _emit_event(tx, account, "payment.failed", _of_payment(payment), now)
    for refund in snapshot.refunds:
        await _sync_refund(tx, events, account, payment, refund, now)
    for dispute in snapshot.disputes:
        await _sync_dispute(tx, account, payment, dispute, now)


async def _metadata_of(tx: Tx, account: GatewayAccount, snapshot: PaymentSnapshot) -> str:
    """That of the checkout that it paid, or of the invoice."""
    checkout_id = snapshot.metadata.get("checkout")
    if checkout_id is not None or snapshot.invoice is None:
        return await queries.metadata_of_checkout(tx, account, checkout_id)
    invoice = await queries.invoice_by_gateway_id(tx, account, snapshot.invoice)
    return metadata.EMPTY if invoice is None else invoice.metadata


async def _sync_refund(
    tx: Tx, events: Events, account: GatewayAccount, payment: Row[Any], snapshot: RefundSnapshot, now: int
) -> None:
    known = await queries.refund_of(tx, account, snapshot.metadata.get("refund"), snapshot.id)
    values = {"status": snapshot.status, "gateway_id": snapshot.id, "updated_at": now}
    if known is None:
        written = await queries.insert_refund(
            tx,
            account,
            values
            | {
                "id": ids.new("ref"),
                "payment_id": payment.id,
                "currency": payment.currency,
                "amount": snapshot.amount,
                "reason": snapshot.reason,
                "created_at": snapshot.created_at,
            },
        )
    else:
        written = await queries.update_refund(tx, account.platform_no, known.id, values)
    if known is not None and known.status == written.status:
        return
    if written.status == "succeeded":
        await events.emit(tx, REFUND_SUCCEEDED, refund=written, payment=payment, now=now)
        await _emit_event(tx, account, "payment.refunded", _of_payment(payment) | {"refundId": written.id}, now)
    elif written.status == "failed":
        await events.emit(tx, REFUND_FAILED, refund=written, payment=payment, now=now)


async def _sync_dispute(
    tx: Tx, account: GatewayAccount, payment: Row[Any], snapshot: DisputeSnapshot, now: int
) -> None:
    is_new = await queries.put_dispute(
        tx,
        account,
        {
            "id": snapshot.id,
            "payment_id": payment.id,
            "status": snapshot.status,
            "reason": snapshot.reason,
            "currency": payment.currency,
            "amount": snapshot.amount,
            "created_at": snapshot.created_at,
            "updated_at": now,
        },
    )
    if is_new:
        data = _of_payment(payment) | {"reason": snapshot.reason, "disputed": snapshot.amount}
        await _emit_event(tx, account, "payment.disputed", data, now)


async def _emit_event(tx: Tx, account: GatewayAccount, kind: EventType, data: dict[str, object], now: int) -> None:
    await webhooks.record_events(tx, [Event(account.platform_no, account.project_id, account.mode, kind, data, now)])


def _of_invoice(invoice: Row[Any]) -> dict[str, object]:
    return {
        "invoiceId": invoice.id,
        "subscriptionId": invoice.subscription_id,
        "status": invoice.status,
        "currency": invoice.currency,
        "amountDue": invoice.amount_due,
        "attempts": invoice.attempts,
        "metadata": metadata.load(invoice.metadata),
    }


def _of_payment(payment: Row[Any]) -> dict[str, object]:
    return {
        "paymentId": payment.id,
        "status": payment.status,
        "currency": payment.currency,
        "amount": payment.amount,
        "refundedAmount": payment.refunded,
        "failure": payment.failure,
        "metadata": metadata.load(payment.metadata),
    }
