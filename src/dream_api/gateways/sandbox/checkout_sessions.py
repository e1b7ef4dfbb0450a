"""Checkout sessions: opened, then paid, left, or expired."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dream_api.catalog import LARGEST_CHARGE
from dream_api.core import clock, ids, money
from dream_api.core.errors import ValidationFailed
from dream_api.gateways.contract import AuthenticationRequired, CardRefused, GatewayRefused, NewCheckout
from dream_api.gateways.sandbox import dunning, invoices, objects, page_ids, payment_intents, subscriptions
from dream_api.gateways.sandbox.line_items import SubscriptionItem, build_items, discounts
from dream_api.gateways.sandbox.test_cards import Card, decline_error, find_card
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]


async def open_session(work: UnitOfWork, wanted: NewCheckout, link_base: str) -> StoredObject:
    """A page that can be paid until it expires."""
    lines = build_items(wanted.lines, wanted.currency, work.at)
    if not lines or (not wanted.is_subscription and any(one.is_metered for one in lines)):
        raise GatewayRefused("Usage-based prices can only be sold together with a recurring price.")
    if wanted.coupon is not None and wanted.coupon.currency not in (None, wanted.currency):
        raise GatewayRefused(f"The coupon {wanted.coupon.code} cannot be used for prices in {wanted.currency.upper()}.")
    email = wanted.email
    if wanted.customer is not None:
        customer = await work.find("customer", wanted.customer)
        email = email or customer.document["email"]
    coupon = None if wanted.coupon is None else asdict(wanted.coupon)
    trial_days = wanted.trial_days if wanted.is_subscription else 0
    session_id = page_ids.new_id(page_ids.CHECKOUT, work.account.id)
    url = page_ids.link_to(link_base, page_ids.CHECKOUT, session_id)
    document = _document(work, wanted, session_id, url, email)
    _price(document, lines, coupon, trial_days)
    if 0 < document["amount_total"] < money.smallest_charge(wanted.currency):
        raise GatewayRefused("The total is less than the smallest payment in this currency.")
    if document["amount_total"] > LARGEST_CHARGE:
        raise GatewayRefused("The total is more than one payment can be.")
    return work.add(
        document,
        due=document["expires_at"],
        lines=[asdict(one) for one in lines],
        trial_days=trial_days,
        coupon=coupon,
        payment=None,
    )


def _document(work: UnitOfWork, wanted: NewCheckout, session_id: str, url: str, email: str | None) -> Json:
    return {
        "id": session_id,
        "object": "checkout.session",
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "cancel_url": wanted.cancel_url,
        "client_reference_id": None,
        "created": work.at,
        "currency": wanted.currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer": wanted.customer,
        "customer_creation": None if wanted.customer else "always",
        "customer_details": {"email": email, "name": None, "phone": None, "address": None},
        "customer_email": wanted.email,
        "expires_at": wanted.expires_at // clock.SECOND,
        "invoice": None,
        "livemode": False,
        "metadata": dict(wanted.metadata),
        "mode": "subscription" if wanted.is_subscription else "payment",
        "payment_intent": None,
        "payment_method_collection": "always",
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "success_url": wanted.success_url,
        "url": url,
    }


def _price(document: Json, lines: Sequence[SubscriptionItem], coupon: Json | None, trial_days: int) -> None:
    """What is asked for now; a trial asks for what is bought once only, and its coupon waits for its end."""
    amounts = [0 if trial_days and one.recurrence else one.amount for one in lines]
    off = discounts(None if trial_days else coupon, amounts, (), document["currency"])
    items = [_item(*line) for line in zip(lines, amounts, off, strict=True)]
    document |= {
        "amount_subtotal": sum(amounts),
        "amount_total": sum(amounts) - sum(off),
        "line_items": objects.list_object(items, f"/v1/checkout/sessions/{document['id']}/line_items"),
        "total_details": {"amount_discount": sum(off), "amount_shipping": 0, "amount_tax": 0},
    }


def _item(one: SubscriptionItem, amount: int, off: int) -> Json:
    return {
        "id": ids.new("li"),
        "object": "item",
        "amount_discount": off,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount - off,
        "currency": one.price["currency"],
        "description": one.name,
        "price": one.price,
        "quantity": None if one.is_metered else one.quantity,
    }


async def pay(
    work: UnitOfWork, session: StoredObject, card_number: str | None, *, is_authenticated: bool
) -> CardRefused | None:
    """Complete it, once; where the card is declined, the page stays open for another one.

    A subscription keeps the card for what it will cost, also where nothing is to be paid now.
    """
    refuse_closed(work, session)
    await work.refuse_closed_seller()
    document = session.document
    if card_number is None and (document["amount_total"] or document["mode"] == "subscription"):
        raise ValidationFailed("Enter a card number.", param="card", hint="Pay with 4242 4242 4242 4242.")
    card = None if card_number is None else find_card(card_number)
    refused = None if card is None else decline_error(card, is_present=True, is_authenticated=is_authenticated)
    if card is not None and refused is not None:
        await _record_decline(work, session, card, refused)
        return refused
    customer = await _customer_of(work, session)
    document["customer"] = customer.id
    if document["mode"] == "subscription":
        await _subscribe(work, session, customer, card)
    elif card is not None and document["amount_total"]:
        await _pay_once(work, session, customer, card)
    document |= {
        "status": "complete",
        "payment_status": "paid" if document["amount_total"] else "no_payment_required",
        "url": None,
    }
    session.due = None
    work.emit_event("checkout.session.completed", session)
    return None


def refuse_closed(work: UnitOfWork, session: StoredObject) -> None:
    """GatewayRefused where it cannot be paid any more."""
    if session.document["status"] == "complete":
        raise GatewayRefused("This checkout is already paid.", hint="Nothing was charged again.")
    if session.document["status"] == "expired" or session.document["expires_at"] <= work.at:
        raise GatewayRefused("This checkout has expired.", hint="Go back to the shop and start again.")


async def _record_decline(work: UnitOfWork, session: StoredObject, card: Card, refused: CardRefused) -> None:
    """Record the failed attempt; a pending confirmation, or a free checkout, is none."""
    if session.document["amount_total"] and not isinstance(refused, AuthenticationRequired):
        payment_intents.charge_card(work, await _payment_of(work, session), card, is_present=True)


async def _payment_of(work: UnitOfWork, session: StoredObject) -> StoredObject:
    """One for all attempts."""
    document = session.document
    if session.hidden["payment"] is not None:
        return await work.find("payment_intent", session.hidden["payment"])
    metadata = dict(document["metadata"])
    payment = payment_intents.create_intent(
        work, document["amount_total"], document["currency"], document["customer"], metadata
    )
    session.hidden["payment"] = payment.id
    return payment


async def _customer_of(work: UnitOfWork, session: StoredObject) -> StoredObject:
    document = session.document
    if document["customer"] is not None:
        return await work.find("customer", document["customer"])
    made = work.add(objects.customer(document["customer_details"]["email"], document["currency"], work.at), card=None)
    work.emit_event("customer.created", made)
    return made


async def _pay_once(work: UnitOfWork, session: StoredObject, customer: StoredObject, card: Card) -> None:
    payment = await _payment_of(work, session)
    payment.document["customer"] = customer.id
    session.document["payment_intent"] = payment.id
    payment_intents.charge_card(work, payment, card, is_present=True, is_authenticated=True)


async def _subscribe(work: UnitOfWork, session: StoredObject, customer: StoredObject, card: Card | None) -> None:
    """The subscription begins, and its first invoice is paid by the card, which is kept."""
    assert card is not None
    dunning.save_card(customer, card)
    hidden, document = session.hidden, session.document
    subscription, invoice = subscriptions.create_subscription(
        work,
        customer,
        [SubscriptionItem(**one) for one in hidden["lines"]],
        trial_days=hidden["trial_days"],
        coupon=hidden["coupon"],
        metadata=dict(document["metadata"]),
    )
    # What the page showed is what is paid: credit waits for the next invoice.
    invoices.finalize(work, invoice, customer, uses_credit=False)
    if document["amount_total"]:
        invoice.hidden["payment"] = (await _payment_of(work, session)).id
    await dunning.collect(work, invoice, card, is_present=True, is_authenticated=True)
    document |= {"subscription": subscription.id, "invoice": invoice.id}


def expire(work: UnitOfWork, session: StoredObject) -> None:
    """Nobody can pay it any more; nothing where it is over already."""
    if session.document["status"] != "open":
        return
    session.document |= {"status": "expired", "url": None}
    session.due = None
    work.emit_event("checkout.session.expired", session)
