"""Refund a payment of a subscription."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from dream_api import billing, catalog
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Tx
from dream_api.core.errors import AppError, NotFound
from dream_api.dashboard.dependencies import ProjectPageCanRefund
from dream_api.dashboard.forms import FormErrors, Given, SentForm, form_errors, parse_reason, submits
from dream_api.dashboard.layout import PageRoute
from dream_api.dashboard.refunds import ERRORS, Prepared, submit_refund
from dream_api.dashboard.subscriptions.detail import Id, find, show_subscription, subscription_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PaymentId = Annotated[str, Path(alias="paymentId", max_length=64, pattern=r"^[^\x00]*$")]


def _errors(error: AppError, given: Given) -> FormErrors:
    """Each payment has a form of its own."""
    field = f"{given['payment_id']}-amount"
    return form_errors(error, {"amount": field, "id": field})


@submits(
    router,
    "/dashboard/{projectId}/{mode}/subscriptions/{id}/payments/{paymentId}/refund",
    show_subscription,
    fields=_errors,
    errors=ERRORS,
)
async def refund_payment(
    request: Request,
    billing_context: BillingDep,
    visit: ProjectPageCanRefund,
    subscription_id: Id,
    payment_id: PaymentId,
    form: SentForm,
) -> str:
    """All that is left of it, or a part."""

    async def prepare(tx: Tx) -> Prepared:
        held = await find(tx, visit, subscription_id)
        payment = next((each for each in held.payments if each.id == payment_id), None)
        if payment is None:
            raise NotFound("Payment not found.")
        typed, reason = form.get("amount", ""), parse_reason(form, "amount")
        amount = catalog.parse_amount(typed, payment.currency, "amount") if typed else None
        account = held.account
        return (
            account,
            payment,
            lambda once: billing.create_refund(tx, account, payment_id, amount, reason=reason, once=once),
        )

    await submit_refund(request, billing_context, visit, form, prepare, action="payment.refunded", about=payment_id)
    return subscription_url(visit, subscription_id, "refunded")
