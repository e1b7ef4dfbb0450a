"""How a subscription ends, now or at its period's end."""

from dream_api.gateways.contract import GatewayRefused
from dream_api.gateways.sandbox import invoice_drafts, invoices
from dream_api.gateways.sandbox.billing_cycle import DRAFT_TIME
from dream_api.gateways.sandbox.line_items import coupon_applies
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork


async def cancel(
    work: UnitOfWork,
    subscription: StoredObject,
    *,
    at_period_end: bool,
    reason: str | None,
    bills_usage: bool = True,
) -> None:
    """Nothing is given back for the time that is left; `bills_usage`: of one that ends now."""
    refuse_ended(subscription)
    document = subscription.document
    document["cancellation_details"] |= {"reason": "cancellation_requested", "comment": reason}
    document["canceled_at"] = work.at
    if not at_period_end:
        await end_subscription(work, subscription, reason="cancellation_requested", bills_usage=bills_usage)
        return
    document |= {"cancel_at_period_end": True, "cancel_at": current_period(subscription)[1]}
    work.emit_event("customer.subscription.updated", subscription)


def resume(work: UnitOfWork, subscription: StoredObject) -> None:
    """Take back a cancellation at the period's end; nothing where there is none."""
    refuse_ended(subscription)
    document = subscription.document
    if not document["cancel_at_period_end"]:
        return
    document["cancellation_details"] |= {"reason": None, "comment": None}
    document |= {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
    work.emit_event("customer.subscription.updated", subscription)


def refuse_ended(subscription: StoredObject) -> None:
    if subscription.document["status"] == "canceled":
        raise GatewayRefused("The subscription has ended.", hint="Let the customer buy a new one.")


async def end_subscription(
    work: UnitOfWork, subscription: StoredObject, *, reason: str, bills_usage: bool = True
) -> None:
    """Over at this moment: usage is billed once more, and what was not paid is not asked for any longer."""
    document = subscription.document
    for invoice in await work.children(subscription.id, "invoice"):
        if invoice.document["status"] == "draft" and not bills_usage:
            invoices.void(work, invoice)
        elif invoice.document["status"] == "draft":
            invoice_drafts.remove_plan_lines(work, invoice)
        elif invoice.document["status"] == "open":
            invoices.mark_uncollectible(work, invoice)
    if bills_usage and document["status"] != "trialing":
        bill_usage(work, subscription, "subscription_cancel")
    document["cancellation_details"]["reason"] = reason
    document |= {"status": "canceled", "ended_at": work.at, "canceled_at": document["canceled_at"] or work.at}
    subscription.due = None
    work.emit_event("customer.subscription.deleted", subscription)


def bill_usage(work: UnitOfWork, subscription: StoredObject, reason: str) -> None:
    """A draft for the usage of the period that closes now, where usage is billed."""
    begun = running_usage_period(subscription)[0]
    if subscription.hidden["is_metered"] and begun < work.at:
        discount = subscription.hidden["discount"]
        coupon = discount["coupon"] if coupon_applies(discount, work.at) else None
        due = work.at + DRAFT_TIME
        invoice_drafts.create_draft(work, subscription, reason, (), (begun, work.at), coupon=coupon, due=due)


def current_period(subscription: StoredObject) -> tuple[int, int]:
    """The plan's period that is running."""
    item = subscription.document["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def running_usage_period(subscription: StoredObject) -> tuple[int, int]:
    """The period that usage is billed for at its end; of subscriptions of earlier releases that of the plan."""
    running: list[int] | None = subscription.hidden.get("usage_period")
    return current_period(subscription) if running is None else (running[0], running[1])
