"""Checkout links: a checkout for one customer, to be sent to them."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, catalog, customers
from dream_api.billing import BillingContext, ReturnPages
from dream_api.billing.dependencies import BillingDep
from dream_api.catalog import Price, TierWithPrices
from dream_api.core import ids
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Forbidden, Invalid, NotFound, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, parse_integer, submits
from dream_api.dashboard.layout import PageRoute, project_url, render_page
from dream_api.dashboard.subscriptions.detail import Id
from dream_api.platforms import SaasProjectRequired

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/subscriptions"
_NOT_HERE = "Customers cannot sign in to this dashboard. Leave the field empty to show them a page that thanks them."
_FIELDS = {"X-User-Id": "userId", "successUrl": "url", "cancelUrl": "url", "priceId": "price", "tier": "price"}


@router.get(_PATH + "/new")
async def ask_for_link(billing_context: BillingDep, visit: ProjectPageCanSell, user_id: str = "") -> Response:
    return await _show(billing_context, visit, {"userId": user_id, "quantity": "1", "url": _website(visit)})


@router.get(_PATH + "/links/{id}")
async def show_link(billing_context: BillingDep, visit: ProjectPage, checkout_id: Id) -> Response:
    """To copy, and what became of it."""
    async with billing_context.database.read() as tx:
        checkout = await billing.checkout_by_id(tx, visit.platform_no, checkout_id)
        if checkout is None or (checkout.project_id, checkout.mode) != (visit.project.id, visit.mode):
            raise NotFound("Checkout not found.")
        customer = None
        if checkout.customer_id is not None:
            customer = await customers.find(tx, visit.scope, checkout.customer_id)
    return render_page(visit, "subscriptions/link.html", here="subscriptions", checkout=checkout, customer=customer)


async def _chosen(tx: Tx, visit: ProjectContext, price_id: str) -> tuple[TierWithPrices, Price]:
    found = next((each for each in await _choices(tx, visit) if each[1].id == price_id), None)
    if found is None:
        raise ValidationFailed("Choose a price.", param="price")
    return found


async def _choices(tx: Tx, visit: ProjectContext) -> list[tuple[TierWithPrices, Price]]:
    offers = await catalog.list_tiers(tx, visit.platform_no, visit.project.id, visit.mode)
    offers.sort(key=lambda offer: (offer.number is None, offer.number or 0, offer.id))
    return [(offer, price) for offer in offers for price in offer.prices if price.type == "recurring"]


def _website(visit: ProjectContext) -> str:
    """Where the customer goes afterwards: the project's own website; without one, our page that thanks them."""
    return next((origin for origin in visit.project.origins if "*" not in origin), "")


def _return_pages(settings: Settings, visit: ProjectContext, typed: str, checkout_id: str) -> ReturnPages:
    """Raises ValidationFailed for a page of the dashboard, which asks customers to sign in."""
    link_base: str = settings.link_base
    if not typed:
        return billing.create_return_pages(link_base, visit.project.id, checkout_id)
    if urlsplit(typed).netloc == urlsplit(link_base).netloc:
        raise ValidationFailed(_NOT_HERE, param="url")
    return ReturnPages(typed, typed)


async def _show(
    billing_context: BillingContext, visit: ProjectContext, form: Form, problems: FormErrors | None = None
) -> Response:
    async with billing_context.database.read() as tx:
        choices = await _choices(tx, visit)
    return render_page(
        visit,
        "subscriptions/sell.html",
        here="subscriptions",
        status=422 if problems else 200,
        mode_path="/subscriptions",
        choices=choices,
        form=form,
        problems=problems or {},
    )


@submits(router, _PATH, _show, fields=_FIELDS, errors=(Invalid, Conflict, Forbidden))
async def create_link(
    request: Request, settings: SettingsDep, billing_context: BillingDep, visit: ProjectPageCanSell, form: SentForm
) -> str:
    """The customer has the plan as soon as they have paid there."""
    if visit.project.type != "saas":
        raise SaasProjectRequired("Only saas projects sell subscriptions, and this project is a store.")
    user_id = customers.validate_user_id(form.get("userId", ""), "userId")
    typed, checkout_id = form.get("url", "").strip(), ids.new("chk")
    pages = _return_pages(settings, visit, typed, checkout_id)
    async with billing_context.database.write() as tx:
        offer, price = await _chosen(tx, visit, form.get("price", ""))
        quantity = parse_integer(form, "quantity")
        account = await billing.ensure_account(tx, visit.scope)
        checkout = await billing.create_subscription_checkout(
            tx,
            visit.project,
            visit.scope,
            user_id=user_id,
            tier=offer.name,
            price_id=price.id,
            quantity=1 if quantity is None else quantity,
            coupon=form.get("coupon") or None,
            success_url=pages.success_url,
            cancel_url=pages.cancel_url,
            are_own_pages=not typed,
            checkout_id=checkout_id,
        )
        await record(tx, request, visit, "checkout.made", about=checkout.id)
    await billing.open_page(billing_context, account, checkout)
    return project_url(visit, f"/subscriptions/links/{checkout.id}")
