"""Parses Stripe-shaped objects, also the sandbox's, into the gateway contract's snapshots."""

from collections.abc import Mapping, Sequence
from typing import Any

from dream_api.core import clock
from dream_api.gateways.contract import (
    CheckoutSnapshot,
    DisputeSnapshot,
    DisputeStatus,
    InvoiceLine,
    InvoiceSnapshot,
    ObjectKind,
    PaymentSnapshot,
    PaymentStatus,
    RefundSnapshot,
    RefundStatus,
    SubscriptionSnapshot,
    SubscriptionStatus,
)

Json = Mapping[str, Any]

# An unpaid or incomplete subscription gives nothing: nobody has paid for it.
_SUBSCRIPTION: dict[str, SubscriptionStatus] = {
    "trialing": "trialing",
    "active": "active",
    "past_due": "past_due",
    "paused": "paused",
    "unpaid": "past_due",
    "incomplete": "paused",
    "incomplete_expired": "canceled",
    "canceled": "canceled",
}
_PAYMENT: dict[str, PaymentStatus] = {"succeeded": "succeeded", "canceled": "canceled"}
_REFUND: dict[str, RefundStatus] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
_DISPUTE: dict[str, DisputeStatus] = {"won": "won", "lost": "lost", "warning_closed": "won"}


def event_object(event: Json) -> tuple[ObjectKind, str] | None:
    """Kind and id of the object that an event is about; None for objects that are not synced."""
    thing: Json = event["data"]["object"]
    match thing.get("object"):
        case "checkout.session":
            return "checkout", str(thing["id"])
        case "subscription":
            return "subscription", str(thing["id"])
        case "invoice":
            return "invoice", str(thing["id"])
        case "payment_intent":
            return "payment", str(thing["id"])
        case "charge" | "refund" | "dispute" if thing.get("payment_intent"):
            return "payment", id_of(thing["payment_intent"]) or ""
        case _:
            return None


def id_of(reference: Any) -> str | None:
    """The id, where the object itself may stand in its place."""
    return None if reference is None else str(reference if isinstance(reference, str) else reference["id"])


def parse_checkout(session: Json) -> CheckoutSnapshot:
    details, totals = _part(session, "customer_details"), _part(session, "total_details")
    return CheckoutSnapshot(
        id=session["id"],
        status=session["status"],
        is_paid=session["payment_status"] in ("paid", "no_payment_required"),
        customer=id_of(session.get("customer")),
        email=details.get("email") or session.get("customer_email"),
        subscription=id_of(session.get("subscription")),
        payment=id_of(session.get("payment_intent")),
        currency=session["currency"],
        total=session["amount_total"],
        discount=totals.get("amount_discount") or 0,
        metadata=dict(session.get("metadata") or {}),
    )


def parse_subscription(subscription: Json) -> SubscriptionSnapshot:
    """With its `latest_invoice` expanded."""
    items: Sequence[Json] = subscription["items"]["data"]
    licensed = next(item for item in items if item["price"]["recurring"]["usage_type"] == "licensed")
    metered = next((item for item in items if item["price"]["recurring"]["usage_type"] == "metered"), licensed)
    details = _part(subscription, "cancellation_details")
    return SubscriptionSnapshot(
        id=subscription["id"],
        customer=id_of(subscription["customer"]) or "",
        status=_status_of(subscription),
        price_id=licensed["price"].get("lookup_key") or licensed["price"]["id"],
        quantity=licensed.get("quantity") or 1,
        started_at=_timestamp(subscription["start_date"]),
        period_starts_at=_timestamp(licensed["current_period_start"]),
        period_ends_at=_timestamp(licensed["current_period_end"]),
        usage_period_starts_at=_timestamp(metered["current_period_start"]),
        trial_ends_at=_optional_timestamp(subscription.get("trial_end")),
        cancel_at=_optional_timestamp(subscription.get("cancel_at")),
        canceled_at=_optional_timestamp(subscription.get("canceled_at")),
        ended_at=_optional_timestamp(subscription.get("ended_at")),
        cancel_reason=details.get("comment") or details.get("reason"),
        unpaid_since=_unpaid_since(subscription.get("latest_invoice")),
        metadata=dict(subscription.get("metadata") or {}),
    )


def _status_of(subscription: Json) -> SubscriptionStatus:
    """Stripe calls a subscription active whose collection is paused."""
    status = _SUBSCRIPTION[subscription["status"]]
    return "paused" if status != "canceled" and subscription.get("pause_collection") else status


def _unpaid_since(invoice: Json | str | None) -> int | None:
    """Of the last invoice, where it was read with the subscription."""
    if invoice is None or isinstance(invoice, str) or invoice["status"] not in ("open", "uncollectible"):
        return None
    return _timestamp(invoice["created"])


def parse_invoice(invoice: Json) -> InvoiceSnapshot:
    parent = _part(_part(invoice, "parent"), "subscription_details")
    paid: Sequence[Json] = _part(invoice, "payments").get("data") or ()
    transitions = _part(invoice, "status_transitions")
    discounts: Sequence[Json] = invoice.get("total_discount_amounts") or ()
    return InvoiceSnapshot(
        id=invoice["id"],
        number=invoice.get("number"),
        customer=id_of(invoice["customer"]) or "",
        subscription=id_of(parent.get("subscription")),
        status=invoice["status"],
        reason=invoice.get("billing_reason") or "manual",
        currency=invoice["currency"],
        subtotal=invoice["subtotal"],
        discount=sum(one["amount"] for one in discounts),
        total=invoice["total"],
        amount_due=invoice["amount_due"],
        amount_paid=invoice["amount_paid"],
        period_starts_at=_timestamp(invoice["period_start"]),
        period_ends_at=_timestamp(invoice["period_end"]),
        created_at=_timestamp(invoice["created"]),
        paid_at=_optional_timestamp(transitions.get("paid_at")),
        attempts=invoice["attempt_count"],
        next_attempt_at=_optional_timestamp(invoice.get("next_payment_attempt")),
        payment=id_of(paid[-1]["payment"]["payment_intent"]) if paid else None,
        lines=tuple(_parse_line(line) for line in invoice["lines"]["data"]),
    )


def _parse_line(line: Json) -> InvoiceLine:
    pricing = _part(_part(line, "pricing"), "price_details")
    metadata = _part(line, "metadata")
    return InvoiceLine(
        description=line.get("description") or "",
        amount=line["amount"],
        quantity=line.get("quantity"),
        price_id=metadata.get("price") or id_of(pricing.get("price")),
        key=metadata.get("key"),
    )


def parse_payment(
    intent: Json, charge: Json | None, refunds: Sequence[Json], disputes: Sequence[Json]
) -> PaymentSnapshot:
    """Of a payment intent, its latest charge, and what became of its money since."""
    details = _part(charge or {}, "payment_method_details")
    card, error = _part(details, "card"), _part(intent, "last_payment_error")
    metadata: dict[str, str] = dict(_part(intent, "metadata"))
    return PaymentSnapshot(
        id=intent["id"],
        customer=id_of(intent.get("customer")),
        invoice=id_of(metadata.get("invoice") or (charge or {}).get("invoice")),
        status=_PAYMENT.get(intent["status"], "failed" if error else "pending"),
        currency=intent["currency"],
        amount=intent["amount"],
        method=details.get("type"),
        brand=card.get("brand"),
        last4=card.get("last4"),
        failure=error.get("decline_code") or error.get("code"),
        created_at=_timestamp(intent["created"]),
        metadata=metadata,
        refunds=tuple(_parse_refund(refund) for refund in refunds),
        disputes=tuple(_parse_dispute(dispute) for dispute in disputes),
    )


def _parse_refund(refund: Json) -> RefundSnapshot:
    return RefundSnapshot(
        id=refund["id"],
        amount=refund["amount"],
        status=_REFUND.get(refund["status"], "pending"),
        reason=refund.get("reason"),
        created_at=_timestamp(refund["created"]),
        metadata=dict(refund.get("metadata") or {}),
    )


def _parse_dispute(dispute: Json) -> DisputeSnapshot:
    return DisputeSnapshot(
        id=dispute["id"],
        amount=dispute["amount"],
        status=_DISPUTE.get(dispute["status"], "open"),
        reason=dispute.get("reason") or "general",
        created_at=_timestamp(dispute["created"]),
    )


def _part(whole: Json, name: str) -> Json:
    """The object of that name; an empty one where there is none."""
    return whole.get(name) or {}


def _timestamp(seconds: int) -> int:
    return seconds * clock.SECOND


def _optional_timestamp(seconds: int | None) -> int | None:
    return None if seconds is None else _timestamp(seconds)
