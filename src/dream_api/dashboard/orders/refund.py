"""Refund or cancel an order."""

from fastapi import APIRouter, Request

from dream_api import billing, catalog, store
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Tx
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import Form
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanRefund, ProjectPageCanSell
from dream_api.dashboard.forms import SentForm, parse_integer, parse_reason, submits
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.orders.detail import Id, find, order_url, show_order
from dream_api.dashboard.refunds import ERRORS, Prepared, submit_refund

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/orders/{id}"
_FIELDS = {"id": ""}


@submits(router, _PATH + "/refund", show_order, fields=_FIELDS, errors=ERRORS)
async def refund_order(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanRefund, order_id: Id, form: SentForm
) -> str:
    """Some units, an amount, or all that is left."""

    async def prepare(tx: Tx) -> Prepared:
        asked = await _parse_refund(tx, visit, order_id, form)
        order = await store.find_order(tx, visit.scope, order_id)
        account, payment = await store.find_payment(tx, visit.scope, order)
        return account, payment, lambda once: store.create_refund(tx, account, order, asked, once=once)

    await submit_refund(request, billing_context, visit, form, prepare, action="order.refunded", about=order_id)
    return order_url(visit, order_id, "refunded")


@submits(router, _PATH + "/cancel", show_order, fields=_FIELDS)
async def cancel_order(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, order_id: Id, form: SentForm
) -> str:
    """Nobody can pay it any more, and its stock is free again."""
    async with billing_context.database.read() as tx:
        order = await store.find_order(tx, visit.scope, order_id)
        checkout = await billing.checkout_by_id(tx, visit.platform_no, order.checkout_id)
        account = None if checkout is None else await billing.find_account(tx, checkout.account)
    if order.status == "processing" and checkout is not None and account is not None:
        await billing.expire_checkout(billing_context, account, checkout)
    async with billing_context.database.write() as tx:
        store.require_unpaid(await store.find_order(tx, visit.scope, order_id))
        await record(tx, request, visit, "order.canceled", about=order_id)
    return order_url(visit, order_id, "canceled")


async def _parse_refund(tx: Tx, visit: ProjectContext, order_id: str, form: Form) -> store.RefundRequest:
    order = await find(tx, visit, order_id)
    typed = form.get("amount", "")
    counted = [(line.line, parse_integer(form, f"line.{line.line}")) for line in order.lines]
    units = [(line, quantity) for line, quantity in counted if quantity]
    if any(quantity < 0 for _, quantity in units):
        raise ValidationFailed("Enter the quantity to refund.", param="lines")
    amount = catalog.parse_amount(typed, order.row.currency, "amount") if typed else None
    return store.RefundRequest(units=units, amount=amount, restock="restock" in form, reason=parse_reason(form))
