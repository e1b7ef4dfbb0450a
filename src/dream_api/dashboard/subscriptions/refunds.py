"""Refund a payment of a subscription."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from dream_api import billing, catalog
from dream_api.auth.csrf import read_csrf_form
from dream_api.billing.dependencies import BillingDep
from dream_api.core.errors import Conflict, Invalid, NotFound, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.idempotency import IdempotentRequest
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanRefund
from dream_api.dashboard.forms import form_errors
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.dashboard.subscriptions.detail import Id, find, show_subscription, subscription_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_LONGEST_ONCE = 64
_LONGEST_REASON = 255
PaymentId = Annotated[str, Path(alias="paymentId", max_length=64, pattern=r"^[^\x00]*$")]


@router.post("/dashboard/{projectId}/{mode}/subscriptions/{id}/payments/{paymentId}/refund")
async def refund_payment(
    request: Request,
    billing_context: BillingDep,
    visit: ProjectPageCanRefund,
    subscription_id: Id,
    payment_id: PaymentId,
) -> Response:
    """All that is left of it or a part; a form that is sent twice gives back once."""
    form = await read_csrf_form(request, visit.user)
    try:
        async with billing_context.database.write() as tx:
            held = await find(tx, visit, subscription_id)
            payment = next((each for each in held.payments if each.id == payment_id), None)
            if payment is None:
                raise NotFound("There is no such payment.")
            typed = form.get("amount", "")
            amount = catalog.parse_amount(typed, payment.currency, "amount") if typed else None
            once = _once_of(visit, payment_id, form)
            refund = await billing.find_started_refund(tx, held.account, once)
            if refund is None:
                reason = _reason(form)
                refund = await billing.create_refund(tx, held.account, payment_id, amount, reason=reason, once=once)
                if not visit.may("refund"):
                    await billing.require_refund_limit(tx, payment, visit.project.refund_limit)
                details = {"amount": str(refund.amount), "currency": refund.currency}
                await record(tx, request, visit, "payment.refunded", about=payment_id, **details)
        await billing.send_refund(billing_context, held.account, refund)
    except (Invalid, Conflict, billing.RefundLimitExceeded) as error:
        problems = form_errors(error, {"amount": f"{payment_id}-amount", "id": f"{payment_id}-amount"})
        return await show_subscription(billing_context, visit, subscription_id, form=form, problems=problems)
    return redirect(subscription_url(visit, subscription_id, "refunded"))


def _reason(form: Form) -> str | None:
    reason = form.get("reason") or None
    if reason is not None and len(reason) > _LONGEST_REASON:
        raise ValidationFailed(f"A reason has at most {_LONGEST_REASON} characters.", param="amount")
    return reason


def _once_of(visit: ProjectContext, payment_id: str, form: Form) -> IdempotentRequest | None:
    key = form.get("once", "")[:_LONGEST_ONCE]
    body = f"{form.get('amount', '')}\n{form.get('reason', '')}".encode()
    return IdempotentRequest(visit.platform_id, f"{visit.caller} refund {payment_id}", key, body) if key else None
