"""`/api/payments`: payments and their refunds."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from dream_api.api.billing.models import Payment, Refund, RefundCreate, ResponseModel, payment_of, refund_of
from dream_api.api.billing.pagination import After, Limit
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanRefund, CanView, IdempotencyKey
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing import queries
from dream_api.billing import refunds as refunding
from dream_api.billing.dependencies import BillingDep
from dream_api.billing.idempotency import find_started_refund
from dream_api.core import errors
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    error_responses,
    example_response,
    idempotency_key_of,
    json_response,
    mark_replayed,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.gateways import GATEWAY_ERRORS

router = APIRouter(tags=["Invoices and payments"], prefix="/api/payments")

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$", examples=["pay_01k9q3v8zd0g2m4n6p8r0t2v4w"])]
_SHOWN = {
    "id": "pay_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "customer": "cus_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "status": "succeeded",
    "amount": 1999,
    "price": "19.99",
    "refundedAmount": 0,
    "currency": "usd",
    "method": "card",
    "brand": "visa",
    "last4": "4242",
    "failure": None,
    "createdAt": "2026-11-21T09:14:00Z",
}
_REFUND = {
    "id": "ref_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "payment": "pay_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "status": "succeeded",
    "amount": 500,
    "currency": "usd",
    "reason": "one was broken",
    "createdAt": "2026-11-21T09:14:00Z",
}


class PaymentList(ResponseModel):
    """Newest first."""

    data: list[Payment]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


class RefundList(ResponseModel):
    """Oldest first."""

    data: list[Refund]


@router.get(
    "",
    summary="List payments",
    response_model=PaymentList,
    responses={
        **example_response(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_payments(
    db: Db,
    acting: CanView,
    status: Annotated[
        Literal["pending", "succeeded", "failed", "canceled"] | None, Query(description="Of this status only.")
    ] = None,
    customer: Annotated[str | None, Query(max_length=64, description="Of this customer only, by `cus_…`.")] = None,
    limit: Limit = 20,
    after: After = None,
) -> Response:
    """Newest first."""
    async with db.read() as tx:
        rows, cursor = await queries.list_payments(
            tx, acting.scope, status=status, customer_id=customer, limit=limit, after=after
        )
    return json_response(PaymentList(data=[payment_of(row) for row in rows], next_cursor=cursor))


@router.get(
    "/{id}",
    summary="Read a payment",
    response_model=Payment,
    responses={**example_response(200, _SHOWN), **error_responses(*PROJECT_AUTH_ERRORS, errors.NotFound)},
)
async def read_payment(db: Db, acting: CanView, payment_id: Id) -> Response:
    async with db.read() as tx:
        _, payment = await refunding.find_payment(tx, acting.scope, payment_id)
    return json_response(payment_of(payment))


@router.get(
    "/{id}/refunds",
    summary="List a payment's refunds",
    response_model=RefundList,
    responses={**example_response(200, {"data": [_REFUND]}), **error_responses(*PROJECT_AUTH_ERRORS, errors.NotFound)},
)
async def list_refunds(db: Db, acting: CanView, payment_id: Id) -> Response:
    """Oldest first."""
    async with db.read() as tx:
        _, payment = await refunding.find_payment(tx, acting.scope, payment_id)
        rows = await queries.refunds_of(tx, acting.platform_id, payment.id)
    return json_response(RefundList(data=[refund_of(row) for row in rows]))


@router.post(
    "/{id}/refunds",
    summary="Refund a payment",
    status_code=201,
    response_model=Refund,
    responses={
        **example_response(201, _REFUND),
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            *GATEWAY_ERRORS,
            *JSON_BODY_ERRORS,
            errors.NotFound,
            refunding.RefundTooLarge,
            refunding.RefundLimitExceeded,
        ),
    },
    openapi_extra=request_body(RefundCreate, {"amount": 500, "reason": "one was broken"}),
)
async def refund_payment(
    request: Request, billing_context: BillingDep, acting: CanRefund, payment_id: Id, _: IdempotencyKey = None
) -> Response:
    """All or a part goes back; never more than was paid, however many ask at once."""
    body, raw = await read_json_body(request, RefundCreate)
    once = idempotency_key_of(request, platform_id=acting.platform_id, caller=acting.caller, body=raw)
    async with billing_context.database.write() as tx:
        account, payment = await refunding.find_payment(tx, acting.scope, payment_id)
        before = await find_started_refund(tx, account, once)
        refund = before or await refunding.create_refund(
            tx, account, payment.id, body.amount, reason=body.reason, once=once
        )
        if before is None and not acting.may("refund"):
            await refunding.require_refund_limit(tx, payment, acting.project.refund_limit)
        if before is None:
            details = {"refund": refund.id, "amount": str(refund.amount), "currency": refund.currency}
            await audit_request(tx, request, acting, "payment.refunded", about=payment.id, details=details)
    return mark_replayed(
        json_response(refund_of(await refunding.send_refund(billing_context, account, refund)), 201), before
    )
