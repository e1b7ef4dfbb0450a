"""Change a subscription's plan, after a preview."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import catalog
from dream_api.billing import BillingContext, subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Price, TierWithPrices
from dream_api.core import ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, form_errors, parse_integer, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.dashboard.subscriptions.detail import Id, SubscriptionDetail, find, subscription_url
from dream_api.gateways.contract import CardRefused, SubscriptionChange

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions/{id}/change"
_LONGEST_ONCE = 64
_FIELDS = {"tier": "price", "priceId": "price", "id": ""}


@dataclass(frozen=True, slots=True)
class Choice:
    """A price that the subscription can be moved to."""

    offer: TierWithPrices
    price: Price

    @property
    def is_flat(self) -> bool:
        return self.price.billing_scheme == "flat_rate"


@router.get(_PATH)
async def choose_plan(
    billing_context: BillingDep,
    visit: ProjectPageCanSell,
    subscription_id: Id,
    price: str = "",
    quantity: str = "",
) -> Response:
    """The choices; once one is chosen, what it would cost now."""
    form = {"price": price, "quantity": quantity}
    return await _show(billing_context, visit, subscription_id, form)


async def _show(
    billing_context: BillingContext,
    visit: ProjectContext,
    subscription_id: str,
    form: Form,
    problems: FormErrors | None = None,
) -> Response:
    preview = change = None
    problems = problems or {}
    async with billing_context.database.read() as tx:
        held = await find(tx, visit, subscription_id)
        choices = await _choices(tx, visit, held)
        if form.get("price") and not problems:
            try:
                change = await _wanted(tx, visit, held, form)
            except (Invalid, Conflict) as problem:
                problems = form_errors(problem, _FIELDS)
    if change is not None:
        try:
            preview = await subscription_changes.preview(billing_context, held.account, held.row, change)
        except Conflict as problem:
            problems = form_errors(problem, _FIELDS)
    return render_page(
        visit,
        "subscriptions/change.html",
        here="subscriptions",
        status=422 if problems else 200,
        detail=held,
        choices=choices,
        form={"price": held.row.price_id, "quantity": str(held.row.quantity), **{k: v for k, v in form.items() if v}},
        preview=None if preview is None else preview.cost,
        usage=[] if preview is None else preview.usage,
        line=None if change is None else change.lines[0],
        problems=problems,
        once=ids.new("req"),
    )


@submits(router, _PATH, _show, fields=_FIELDS, errors=(Invalid, Conflict, CardRefused))
async def change_plan(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, subscription_id: Id, form: SentForm
) -> str:
    """In force and charged at once; where the card is declined, nothing changes."""
    async with billing_context.database.read() as tx:
        held = await find(tx, visit, subscription_id)
        change = await _wanted(tx, visit, held, form)
    key = f"page:{held.row.id}:{change.lines[0].price.id}:{form.get('once', '')[:_LONGEST_ONCE]}"
    await subscription_changes.change(billing_context, held.account, held.row, change, key)
    async with billing_context.database.write() as tx:
        await record(tx, request, visit, "subscription.changed", about=subscription_id, price=form.get("price", ""))
    return subscription_url(visit, subscription_id, "changed")


async def _choices(tx: Tx, visit: ProjectContext, held: SubscriptionDetail) -> list[Choice]:
    """What is sold by the period in the subscription's currency, hidden tiers among it."""
    offers = await catalog.list_tiers(tx, visit.platform_no, visit.project.id, visit.mode)
    return [
        Choice(offer, price)
        for offer in sorted(offers, key=lambda offer: (offer.number is None, offer.number or 0, offer.id))
        for price in offer.prices
        if price.type == "recurring" and price.currency == held.row.currency
    ]


async def _wanted(tx: Tx, visit: ProjectContext, held: SubscriptionDetail, form: Form) -> SubscriptionChange:
    choices = await _choices(tx, visit, held)
    choice = next((each for each in choices if each.price.id == form.get("price")), None)
    if choice is None:
        raise ValidationFailed("Choose a price.", param="price")
    quantity = 1 if choice.is_flat else parse_integer(form, "quantity")
    return await subscription_changes.build_change(
        tx, visit.scope, held.row, tier=choice.offer.name, price_id=choice.price.id, quantity=quantity
    )
