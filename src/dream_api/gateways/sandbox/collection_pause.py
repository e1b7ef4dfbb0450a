"""Paused collection: periods pass without an invoice, as with `pause_collection` of behavior `void` at Stripe."""

from typing import Any

from dream_api.gateways.contract import GatewayRefused
from dream_api.gateways.sandbox import cancellation, invoice_drafts, invoices
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


def is_paused(subscription: StoredObject) -> bool:
    return subscription.document["pause_collection"] is not None


def refuse_paused(subscription: StoredObject) -> None:
    if is_paused(subscription):
        raise GatewayRefused("The subscription is paused.", hint="Unblock the customer first.")


async def pause(work: UnitOfWork, subscription: StoredObject) -> None:
    """From now on nothing is charged; nothing where it is paused, or has ended."""
    paused: Json | None = subscription.document["pause_collection"]
    if subscription.document["status"] == "canceled" or (paused is not None and paused["resumes_at"] is None):
        return
    subscription.document["pause_collection"] = {"behavior": "void", "resumes_at": None}
    subscription.hidden["paused_at"] = subscription.hidden.get("paused_at") or work.at
    for invoice in await work.children(subscription.id, "invoice"):
        if invoice.document["status"] == "draft":
            _empty_draft(work, subscription, invoice)
        if invoice.due is not None:
            _set_due(invoice, None, suspended=invoice.due)
            work.emit_event("invoice.updated", invoice)
    work.emit_event("customer.subscription.updated", subscription)


def _empty_draft(work: UnitOfWork, subscription: StoredObject, invoice: StoredObject) -> None:
    """The period that it bills in advance is not had, and so not charged for; usage of the last one is."""
    if any(not invoice_drafts.is_usage(line) for line in invoice.document["lines"]["data"]):
        subscription.hidden["is_unpaid_period"] = True
    invoice_drafts.remove_plan_lines(work, invoice)
    if not invoice.document["lines"]["data"]:
        invoices.void(work, invoice)


async def resume(work: UnitOfWork, subscription: StoredObject) -> None:
    """Charge again: at once where the current period is paid for, otherwise from the next one on."""
    if subscription.document["status"] == "canceled" or not is_paused(subscription):
        return
    if subscription.hidden.get("is_unpaid_period"):
        resumes_at = cancellation.current_period(subscription)[1]
        subscription.document["pause_collection"] = {"behavior": "void", "resumes_at": resumes_at}
    else:
        await end_pause(work, subscription)
    work.emit_event("customer.subscription.updated", subscription)


async def end_pause(work: UnitOfWork, subscription: StoredObject) -> None:
    """Invoices of before the pause are collected again; the time in between does not count as unpaid."""
    subscription.document["pause_collection"] = None
    passed = work.at - subscription.hidden.pop("paused_at")
    for invoice in await work.children(subscription.id, "invoice"):
        suspended: int | None = invoice.hidden.get("suspended_due")
        if suspended is None or invoice.document["status"] not in ("draft", "open"):
            continue
        if invoice.hidden["failed"] is not None:
            invoice.hidden["failed"] += passed
        _set_due(invoice, suspended + passed, suspended=None)
        work.emit_event("invoice.updated", invoice)


def _set_due(invoice: StoredObject, due: int | None, *, suspended: int | None) -> None:
    invoice.due = due
    invoice.hidden["suspended_due"] = suspended
    invoice.document["next_payment_attempt"] = due
    if invoice.document["status"] == "draft":
        invoice.document["automatically_finalizes_at"] = due


def is_over(subscription: StoredObject, at: int) -> bool:
    """Whether collection resumes with the period that begins at that moment."""
    resumes_at: int | None = subscription.document["pause_collection"]["resumes_at"]
    return resumes_at is not None and resumes_at <= at
