"""Dunning: an invoice's card is charged at once, tried again after some days, and then no more."""

from dream_api.core import ids
from dream_api.gateways.contract import CardRefused
from dream_api.gateways.sandbox import cancellation, payment_intents
from dream_api.gateways.sandbox import invoices as invoicing
from dream_api.gateways.sandbox.billing_cycle import DAY
from dream_api.gateways.sandbox.test_cards import Card, find_card
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

# Days after a card first failed.
RETRY_DAYS = (3, 5, 7)
GIVE_UP_DAYS = 14


async def finalize_and_charge(work: UnitOfWork, invoice: StoredObject) -> None:
    """Finalize a draft and charge the card on file."""
    customer = await work.find("customer", invoice.document["customer"])
    invoicing.finalize(work, invoice, customer)
    await collect(work, invoice, card_on_file(customer), is_present=False)


def card_on_file(customer: StoredObject) -> Card:
    return find_card(customer.hidden["card"])


async def collect(
    work: UnitOfWork, invoice: StoredObject, card: Card, *, is_present: bool, is_authenticated: bool = False
) -> CardRefused | None:
    """Charge what is due, if anything; the subscription goes on, or is past due."""
    payment = None
    if invoice.document["amount_due"]:
        payment = await _payment_of(work, invoice)
        invoice.document |= {"attempted": True, "attempt_count": invoice.document["attempt_count"] + 1}
        refused = payment_intents.charge_card(
            work, payment, card, is_present=is_present, is_authenticated=is_authenticated
        )
        if refused is not None:
            await _fail(work, invoice)
            return refused
    invoicing.mark_paid(work, invoice, payment)
    await _recover(work, invoice)
    return None


async def _payment_of(work: UnitOfWork, invoice: StoredObject) -> StoredObject:
    """One for all attempts."""
    of = invoice.document
    if invoice.hidden["payment"] is None:
        made = payment_intents.create_intent(
            work, of["amount_due"], of["currency"], of["customer"], {"invoice": invoice.id}
        )
        invoice.hidden["payment"] = made.id
        return made
    payment = await work.find("payment_intent", invoice.hidden["payment"])
    payment.document["customer"] = of["customer"]
    payment.document["metadata"]["invoice"] = invoice.id
    return payment


async def _fail(work: UnitOfWork, invoice: StoredObject) -> None:
    failed_at: int = invoice.hidden["failed"] or work.at
    again_at = next_retry_at(failed_at, work.at)
    invoice.hidden["failed"] = failed_at
    invoice.document["next_payment_attempt"] = again_at
    invoice.due = failed_at + GIVE_UP_DAYS * DAY if again_at is None else again_at
    work.emit_event("invoice.payment_failed", invoice)
    subscription = await _subscription_of(work, invoice)
    if subscription.document["status"] == "active":
        subscription.document["status"] = "past_due"
        work.emit_event("customer.subscription.updated", subscription)


async def _recover(work: UnitOfWork, invoice: StoredObject) -> None:
    subscription = await _subscription_of(work, invoice)
    if subscription.document["status"] != "past_due":
        return
    invoices = await work.children(subscription.id, "invoice")
    if all(one.document["status"] != "open" for one in invoices):
        subscription.document["status"] = "active"
        work.emit_event("customer.subscription.updated", subscription)


async def _subscription_of(work: UnitOfWork, invoice: StoredObject) -> StoredObject:
    return await work.find("subscription", str(invoice.parent))


async def retry_payment(work: UnitOfWork, invoice: StoredObject) -> None:
    """Try the card on file once more; two weeks after the first failure the subscription ends."""
    if work.at < invoice.hidden["failed"] + GIVE_UP_DAYS * DAY:
        customer = await work.find("customer", invoice.document["customer"])
        await collect(work, invoice, card_on_file(customer), is_present=False)
        return
    subscription = await _subscription_of(work, invoice)
    if subscription.document["status"] == "canceled":
        invoicing.mark_uncollectible(work, invoice)
    else:
        await cancellation.end_subscription(work, subscription, reason="payment_failed")


def save_card(customer: StoredObject, card: Card) -> str:
    """From now on it pays for this customer's subscriptions; its id as a payment method."""
    kept = customer.document["invoice_settings"]["default_payment_method"] = ids.new("pm")
    customer.hidden["card"] = card.number
    return kept


def next_retry_at(failed_at: int, at: int) -> int | None:
    """When a card that first failed then is tried again; None where it was tried often enough."""
    tries = (failed_at + days * DAY for days in RETRY_DAYS)
    return next((moment for moment in tries if moment > at), None)
