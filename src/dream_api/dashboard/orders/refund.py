"""Refund or cancel an order."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import billing, catalog, store
from dream_api.auth.csrf import read_csrf_form
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Tx
from dream_api.core.errors import Conflict, Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.idempotency import IdempotentRequest
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanRefund, ProjectPageCanSell
from dream_api.dashboard.forms import form_errors, parse_integer
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.dashboard.orders.detail import Id, find, order_url, show_order

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/orders/{id}"
_LONGEST_ONCE = 64
_LONGEST_REASON = 255


@router.post(_PATH + "/refund")
async def refund_order(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanRefund, order_id: Id
) -> Response:
    """Units, an amount, or all that is left; a form that is sent twice gives back once."""
    form = await read_csrf_form(request, visit.user)
    try:
        async with billing_context.database.write() as tx:
            asked = await _asked_by(tx, visit, order_id, form)
            order = await store.find_order(tx, visit.scope, order_id)
            account, payment = await store.find_payment(tx, visit.scope, order)
            once = _once_of(visit, order_id, form)
            refund = await billing.find_started_refund(tx, account, once)
            if refund is None:
                refund = await store.create_refund(tx, account, order, asked, once=once)
                if not visit.may("refund"):
                    await billing.require_refund_limit(tx, payment, visit.project.refund_limit)
                details = {"amount": str(refund.amount), "currency": refund.currency}
                await record(tx, request, visit, "order.refunded", about=order_id, **details)
        await billing.send_refund(billing_context, account, refund)
    except (Invalid, Conflict, billing.RefundLimitExceeded) as error:
        problems = form_errors(error, {"id": ""})
        return await show_order(billing_context, visit, order_id, form=form, problems=problems)
    return redirect(order_url(visit, order_id, "refunded"))


@router.post(_PATH + "/cancel")
async def cancel_order(
    request: Request, billing_context: BillingDep, visit: ProjectPageCanSell, order_id: Id
) -> Response:
    """Nobody can pay it any more, and what it held is free again."""
    await read_csrf_form(request, visit.user)
    try:
        async with billing_context.database.read() as tx:
            order = await store.find_order(tx, visit.scope, order_id)
            checkout = await billing.checkout_by_id(tx, visit.platform_id, order.checkout_id)
            account = None if checkout is None else await billing.find_account(tx, checkout.account)
        if order.status == "processing" and checkout is not None and account is not None:
            await billing.expire_checkout(billing_context, account, checkout)
        async with billing_context.database.write() as tx:
            store.require_unpaid(await store.find_order(tx, visit.scope, order_id))
            await record(tx, request, visit, "order.canceled", about=order_id)
    except (Invalid, Conflict) as error:
        return await show_order(billing_context, visit, order_id, problems=form_errors(error, {"id": ""}))
    return redirect(order_url(visit, order_id, "canceled"))


async def _asked_by(tx: Tx, visit: ProjectContext, order_id: str, form: Form) -> store.RefundRequest:
    held = await find(tx, visit, order_id)
    typed, reason = form.get("amount", ""), form.get("reason") or None
    if reason is not None and len(reason) > _LONGEST_REASON:
        raise ValidationFailed(f"A reason has at most {_LONGEST_REASON} characters.", param="reason")
    counted = [(line.line, parse_integer(form, f"line.{line.line}")) for line in held.lines]
    units = [(line, quantity) for line, quantity in counted if quantity]
    if any(quantity < 0 for _, quantity in units):
        raise ValidationFailed("Type how many units go back.", param="lines")
    amount = catalog.parse_amount(typed, held.row.currency, "amount") if typed else None
    return store.RefundRequest(units=units, amount=amount, restock="restock" in form, reason=reason)


def _once_of(visit: ProjectContext, order_id: str, form: Form) -> IdempotentRequest | None:
    key = form.get("once", "")[:_LONGEST_ONCE]
    body = repr(sorted(form.items())).encode()
    return IdempotentRequest(visit.platform_id, f"{visit.caller} refund {order_id}", key, body) if key else None
