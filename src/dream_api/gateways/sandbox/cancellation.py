"""How a subscription ends, now or at its period's end."""

from dream_api.gateways.contract import GatewayRefused
from dream_api.gateways.sandbox import invoice_drafts, invoices
from dream_api.gateways.sandbox.billing_cycle import DRAFT_TIME
from dream_api.gateways.sandbox.line_items import coupon_lasts
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork


async def cancel(books: UnitOfWork, subscription: StoredObject, *, at_period_end: bool, reason: str | None) -> None:
    """Nothing is given back for the time that is left."""
    refuse_ended(subscription)
    document = subscription.document
    document["cancellation_details"] |= {"reason": "cancellation_requested", "comment": reason}
    document["canceled_at"] = books.at
    if not at_period_end:
        await end(books, subscription, reason="cancellation_requested")
        return
    document |= {"cancel_at_period_end": True, "cancel_at": period_of(subscription)[1]}
    books.emit_event("customer.subscription.updated", subscription)


def resume(books: UnitOfWork, subscription: StoredObject) -> None:
    """Take back a cancellation at the period's end; nothing where there is none."""
    refuse_ended(subscription)
    document = subscription.document
    if not document["cancel_at_period_end"]:
        return
    document["cancellation_details"] |= {"reason": None, "comment": None}
    document |= {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
    books.emit_event("customer.subscription.updated", subscription)


def refuse_ended(subscription: StoredObject) -> None:
    if subscription.document["status"] == "canceled":
        raise GatewayRefused("The subscription has ended.", hint="Let the customer buy a new one.")


async def end(books: UnitOfWork, subscription: StoredObject, *, reason: str) -> None:
    """Over at this moment: usage is billed once more, and what was not paid is not asked for any longer."""
    document = subscription.document
    for invoice in await books.children(subscription.id, "invoice"):
        if invoice.document["status"] == "draft":
            invoice_drafts.drop_plan(books, invoice)
        elif invoice.document["status"] == "open":
            invoices.write_off(books, invoice)
    bill_usage(books, subscription, "subscription_cancel")
    document["cancellation_details"]["reason"] = reason
    document |= {"status": "canceled", "ended_at": books.at, "canceled_at": document["canceled_at"] or books.at}
    subscription.due = None
    books.emit_event("customer.subscription.deleted", subscription)


def bill_usage(books: UnitOfWork, subscription: StoredObject, reason: str) -> None:
    """A draft for the usage of the period that closes now, where usage is billed."""
    begun = period_of(subscription)[0]
    if subscription.hidden["is_metered"] and begun < books.at:
        discount = subscription.hidden["discount"]
        coupon = discount["coupon"] if coupon_lasts(discount, books.at) else None
        due = books.at + DRAFT_TIME
        invoice_drafts.draft(books, subscription, reason, (), (begun, books.at), coupon=coupon, due=due)


def period_of(subscription: StoredObject) -> tuple[int, int]:
    """The period that is running; all items have the same."""
    item = subscription.document["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]
