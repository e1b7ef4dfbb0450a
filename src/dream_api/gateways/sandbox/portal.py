"""Customer portal: subscriptions, invoices and the card on file."""

from dataclasses import dataclass
from typing import Any

from dream_api.core import clock
from dream_api.core.errors import NotFound
from dream_api.gateways.contract import GatewayAccount
from dream_api.gateways.sandbox import dunning, objects, page_ids
from dream_api.gateways.sandbox.test_cards import Card, decline_error, find_card
from dream_api.gateways.sandbox.unit_of_work import StoredObject, UnitOfWork

Json = dict[str, Any]
# In real time: the portal stays open when a project's test clock advances.
LIFETIME = clock.HOUR


@dataclass(frozen=True, slots=True)
class Portal:
    """All that the page shows."""

    account: GatewayAccount
    document: Json
    customer: Json
    subscriptions: list[Json]
    # Newest first.
    invoices: list[Json]
    card: Card | None


async def open_portal(work: UnitOfWork, customer_id: str, return_url: str, link_base: str) -> StoredObject:
    customer = await work.find("customer", customer_id)
    session_id = page_ids.new_id(page_ids.PORTAL, work.account.id)
    url = page_ids.link_to(link_base, page_ids.PORTAL, session_id)
    document = objects.portal(session_id, url, customer.id, return_url, work.at)
    return work.add(document, parent=customer.id, expires_at=clock.now() + LIFETIME)


def _refuse_expired(portal: StoredObject) -> None:
    if portal.hidden["expires_at"] <= clock.now():
        raise NotFound(
            "This link has expired.", hint="Go back to the website that sent you here and open the portal again."
        )


async def read_portal(work: UnitOfWork, portal: StoredObject) -> Portal:
    _refuse_expired(portal)
    customer = await work.find("customer", portal.document["customer"])
    subscriptions = await work.children(customer.id, "subscription")
    invoices = [one for each in subscriptions for one in await work.children(each.id, "invoice")]
    number: str | None = customer.hidden["card"]
    return Portal(
        work.account,
        portal.document,
        customer.document,
        [one.document for one in reversed(subscriptions)],
        [one.document for one in sorted(invoices, key=lambda one: one.id, reverse=True)],
        None if number is None else find_card(number),
    )


async def change_card(work: UnitOfWork, portal: StoredObject, card_number: str, *, is_authenticated: bool) -> None:
    """From now on this card pays; what is open is paid with it at once."""
    _refuse_expired(portal)
    card = find_card(card_number)
    refused = decline_error(card, is_present=True, is_authenticated=is_authenticated)
    if refused is not None:
        raise refused
    customer = await work.find("customer", portal.document["customer"])
    kept = dunning.save_card(customer, card)
    for subscription in await work.children(customer.id, "subscription"):
        if subscription.document["status"] != "canceled":
            subscription.document["default_payment_method"] = kept
        for invoice in await work.children(subscription.id, "invoice"):
            if invoice.document["status"] == "open":
                await dunning.collect(work, invoice, card, is_present=True, is_authenticated=True)
