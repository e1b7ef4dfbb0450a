"""`/sandbox/portal/{id}/subscriptions/{…}/change`: change the plan, after a preview."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, catalog
from dream_api.billing import BillingContext, subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Price, TierWithPrices
from dream_api.core import ids
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, Invalid, ValidationFailed
from dream_api.core.http import read_form
from dream_api.gateways.contract import CardRefused, SubscriptionChange
from dream_api.hosted.sandbox.page import Id, PageRoute, page, redirect
from dream_api.hosted.sandbox.portal import PortalSubscription, Visit, visit_of

router = APIRouter(prefix="/sandbox/portal", route_class=PageRoute, include_in_schema=False)

_LONGEST_NUMBER = 6
_LONGEST_ONCE = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """A price that the customer may choose."""

    offer: TierWithPrices
    price: Price

    @property
    def price_text(self) -> str:
        return catalog.describe_price(self.price)

    @property
    def is_flat(self) -> bool:
        return self.price.billing_scheme == "flat_rate"


@dataclass(frozen=True, slots=True)
class Wish:
    """As it was sent: the price's id, and how many."""

    price_id: str
    quantity: str

    def is_had(self, held: PortalSubscription) -> bool:
        is_flat = held.price.billing_scheme == "flat_rate"
        return self.price_id == held.price.id and (is_flat or self.quantity == str(held.row.quantity))


@router.get("/{id}/subscriptions/{subscription_id}/change")
async def choose_plan(
    billing_context: BillingDep,
    portal_id: Id,
    subscription_id: str,
    price: str | None = None,
    quantity: str = "",
) -> Response:
    """The choices; once one is chosen, what it would cost now."""
    visit = await visit_of(billing_context, portal_id)
    held = visit.find_changeable(subscription_id)
    if price is None:
        return await _choices(billing_context, visit, held, Wish(held.price.id, str(held.row.quantity)))
    return await _preview(billing_context, visit, held, Wish(price, quantity))


@router.post("/{id}/subscriptions/{subscription_id}/change")
async def change_plan(request: Request, billing_context: BillingDep, portal_id: Id, subscription_id: str) -> Response:
    """In force and charged at once; where the card is declined, nothing changes."""
    form = await read_form(request)
    visit = await visit_of(billing_context, portal_id)
    held = visit.find_changeable(subscription_id)
    wish = Wish(form.get("price", ""), form.get("quantity", ""))
    if wish.is_had(held):  # the second click
        return redirect(f"{visit.address}?done=change")
    try:
        change = await _change(billing_context, visit, held, wish)
        await subscription_changes.change(
            billing_context, visit.account, held.row, change, _key(held, change, form.get("once", ""))
        )
    except CardRefused as refused:
        return await _preview(billing_context, visit, held, wish, refused)
    except Invalid as refused:
        return await _choices(billing_context, visit, held, wish, refused)
    await billing.deliver_events(billing_context, visit.account)
    return redirect(f"{visit.address}?done=change")


def _key(held: PortalSubscription, change: SubscriptionChange, once: str) -> str:
    """The same page sent twice changes once."""
    line = change.lines[0]
    return f"portal:{held.row.id}:{line.price.id}:{line.quantity}:{once[:_LONGEST_ONCE]}"


async def _choices(
    billing_context: BillingContext, visit: Visit, held: PortalSubscription, wish: Wish, problem: AppError | None = None
) -> Response:
    async with billing_context.database.read() as tx:
        choices = await _choices_of(tx, visit, held)
    return page(
        "change.html",
        200 if problem is None else problem.status,
        visit=visit,
        seller=visit.seller,
        held=held,
        choices=choices,
        wish=wish,
        problem=problem,
    )


async def _preview(
    billing_context: BillingContext, visit: Visit, held: PortalSubscription, wish: Wish, problem: AppError | None = None
) -> Response:
    try:
        change = await _change(billing_context, visit, held, wish)
    except Invalid as refused:
        return await _choices(billing_context, visit, held, wish, refused)
    preview = await subscription_changes.preview(billing_context, visit.account, held.row, change)
    return page(
        "preview.html",
        200 if problem is None else problem.status,
        visit=visit,
        seller=visit.seller,
        held=held,
        wish=wish,
        line=change.lines[0],
        preview=preview.cost,
        usage=preview.usage,
        problem=problem,
        once=ids.new("req"),
    )


async def _change(
    billing_context: BillingContext, visit: Visit, held: PortalSubscription, wish: Wish
) -> SubscriptionChange:
    """Invalid where it is none of the choices, or what the customer has already."""
    async with billing_context.database.read() as tx:
        choices = await _choices_of(tx, visit, held)
        choice = next((each for each in choices if each.price.id == wish.price_id), None)
        if choice is None:
            raise ValidationFailed("Choose one of the plans.", param="price")
        return await subscription_changes.build_change(
            tx,
            billing.scope_of(visit.account),
            held.row,
            tier=choice.offer.name,
            price_id=choice.price.id,
            quantity=1 if choice.is_flat else _number(wish.quantity),
        )


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0
    if number == 0:
        raise ValidationFailed("Enter a whole number of 1 or more.", param="quantity")
    return number


async def _choices_of(tx: Tx, visit: Visit, held: PortalSubscription) -> Sequence[Choice]:
    """What the project shows and sells in the subscription's currency, in its own order."""
    scope = billing.scope_of(visit.account)
    offers = await catalog.list_tiers(tx, scope.platform_no, scope.project_id, scope.mode, visible_only=True)
    offers = [each for each in offers if not each.is_sold_out]
    offers.sort(key=lambda offer: (offer.number is None, offer.number or 0, offer.id))
    return [
        Choice(offer, price)
        for offer in offers
        for price in offer.prices
        if price.type == "recurring" and price.currency == held.row.currency
    ]
