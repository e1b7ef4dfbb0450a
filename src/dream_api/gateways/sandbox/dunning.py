"""Dunning: an invoice's card is charged at once, tried again after some days, and then no more."""

from dream_api.core import ids
from dream_api.gateways.contract import CardRefused
from dream_api.gateways.sandbox import cancellation, payment_intents
from dream_api.gateways.sandbox import invoices as invoicing
from dream_api.gateways.sandbox.billing_cycle import DAY
from dream_api.gateways.sandbox.test_cards import Card, card_of
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

# Days after a card first failed.
RETRY_DAYS = (3, 5, 7)
GIVE_UP_DAYS = 14


async def finalize_and_charge(books: UnitOfWork, invoice: StoredObject) -> None:
    """Finalize a draft and charge the card on file."""
    customer = await books.find("customer", invoice.document["customer"])
    invoicing.finalize(books, invoice, customer)
    await collect(books, invoice, card_on_file(customer), is_present=False)


def card_on_file(customer: StoredObject) -> Card:
    return card_of(customer.hidden["card"])


async def collect(
    books: UnitOfWork, invoice: StoredObject, card: Card, *, is_present: bool, is_authenticated: bool = False
) -> CardRefused | None:
    """Charge what is due, if anything; the subscription goes on, or is past due."""
    payment = None
    if invoice.document["amount_due"]:
        payment = await _payment_of(books, invoice)
        invoice.document |= {"attempted": True, "attempt_count": invoice.document["attempt_count"] + 1}
        refused = payment_intents.charge_card(
            books, payment, card, is_present=is_present, is_authenticated=is_authenticated
        )
        if refused is not None:
            await _fail(books, invoice)
            return refused
    invoicing.settle(books, invoice, payment)
    await _recover(books, invoice)
    return None


async def _payment_of(books: UnitOfWork, invoice: StoredObject) -> StoredObject:
    """One for all attempts."""
    of = invoice.document
    if invoice.hidden["payment"] is None:
        made = payment_intents.intent(books, of["amount_due"], of["currency"], of["customer"], {"invoice": invoice.id})
        invoice.hidden["payment"] = made.id
        return made
    payment = await books.find("payment_intent", invoice.hidden["payment"])
    payment.document["customer"] = of["customer"]
    payment.document["metadata"]["invoice"] = invoice.id
    return payment


async def _fail(books: UnitOfWork, invoice: StoredObject) -> None:
    failed_at: int = invoice.hidden["failed"] or books.at
    again_at = next_try(failed_at, books.at)
    invoice.hidden["failed"] = failed_at
    invoice.document["next_payment_attempt"] = again_at
    invoice.due = failed_at + GIVE_UP_DAYS * DAY if again_at is None else again_at
    books.emit_event("invoice.payment_failed", invoice)
    subscription = await _subscription_of(books, invoice)
    if subscription.document["status"] == "active":
        subscription.document["status"] = "past_due"
        books.emit_event("customer.subscription.updated", subscription)


async def _recover(books: UnitOfWork, invoice: StoredObject) -> None:
    subscription = await _subscription_of(books, invoice)
    if subscription.document["status"] != "past_due":
        return
    invoices = await books.children(subscription.id, "invoice")
    if all(one.document["status"] != "open" for one in invoices):
        subscription.document["status"] = "active"
        books.emit_event("customer.subscription.updated", subscription)


async def _subscription_of(books: UnitOfWork, invoice: StoredObject) -> StoredObject:
    return await books.find("subscription", str(invoice.parent))


async def retry_payment(books: UnitOfWork, invoice: StoredObject) -> None:
    """Try the card on file once more; two weeks after the first failure the subscription ends."""
    if books.at < invoice.hidden["failed"] + GIVE_UP_DAYS * DAY:
        customer = await books.find("customer", invoice.document["customer"])
        await collect(books, invoice, card_on_file(customer), is_present=False)
        return
    subscription = await _subscription_of(books, invoice)
    if subscription.document["status"] == "canceled":
        invoicing.write_off(books, invoice)
    else:
        await cancellation.end(books, subscription, reason="payment_failed")


def save_card(customer: StoredObject, card: Card) -> str:
    """From now on it pays for this customer's subscriptions; its id as a payment method."""
    kept = customer.document["invoice_settings"]["default_payment_method"] = ids.new("pm")
    customer.hidden["card"] = card.number
    return kept


def next_try(failed_at: int, at: int) -> int | None:
    """When a card that first failed then is tried again; None where it was tried often enough."""
    tries = (failed_at + days * DAY for days in RETRY_DAYS)
    return next((moment for moment in tries if moment > at), None)
