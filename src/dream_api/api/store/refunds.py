"""`POST /api/orders/{id}/refunds`: refunds of orders."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import billing, store
from dream_api.api.store.models import OrderRefund, refund_of
from dream_api.api.store.params import NO_NUL, Id
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanRefund, IdempotencyKey
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    RequestModel,
    error_responses,
    example_response,
    idempotency_key_of,
    json_response,
    mark_replayed,
    read_json_body,
    request_body,
)
from dream_api.gateways import GATEWAY_ERRORS

router = APIRouter(tags=["Store"], prefix="/api/orders")


class RefundedLine(RequestModel):
    """So many units of a line."""

    line: int = Field(ge=1, description="The line's number.")
    quantity: int = Field(ge=1, le=store.MOST_OF_ONE)


class OrderRefundCreate(RequestModel):
    """Units or an amount; all that is left where neither is named."""

    lines: list[RefundedLine] | None = Field(
        None, min_length=1, max_length=store.MOST_ITEMS, description="Their units go back for what was paid for them."
    )
    amount: int | None = Field(None, ge=1, description="In minor units, of no line.")
    restock: bool = Field(False, description="Whether the units go back on sale.")
    reason: str | None = Field(None, max_length=255, pattern=NO_NUL)


_EXAMPLE: dict[str, Any] = {"lines": [{"line": 1, "quantity": 1}], "restock": True, "reason": "one was broken"}
_SHOWN = {
    "id": "ref_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "status": "succeeded",
    "amount": 1999,
    "currency": "usd",
    "reason": "one was broken",
    "createdAt": "2026-11-21T09:14:00Z",
}


@router.post(
    "/{id}/refunds",
    summary="Refund an order",
    status_code=201,
    response_model=OrderRefund,
    responses={
        **example_response(201, _SHOWN),
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            *GATEWAY_ERRORS,
            *JSON_BODY_ERRORS,
            errors.NotFound,
            store.OrderNotPaid,
            billing.RefundTooLarge,
            billing.RefundLimitExceeded,
        ),
    },
    openapi_extra=request_body(OrderRefundCreate, _EXAMPLE),
)
async def refund_order(
    request: Request, billing_context: BillingDep, acting: CanRefund, order_id: Id, _: IdempotencyKey = None
) -> Response:
    """Some units, an amount, or all that is left; the order follows when the money has gone."""
    body, raw = await read_json_body(request, OrderRefundCreate)
    once = idempotency_key_of(request, platform_id=acting.platform_id, caller=acting.caller, body=raw)
    asked = store.RefundRequest(
        units=[(each.line, each.quantity) for each in body.lines or ()],
        amount=body.amount,
        restock=body.restock,
        reason=body.reason,
    )
    async with billing_context.database.write() as tx:
        order = await store.find_order(tx, acting.scope, order_id)
        account, payment = await store.find_payment(tx, acting.scope, order)
        before = await billing.find_started_refund(tx, account, once)
        refund = before or await store.create_refund(tx, account, order, asked, once=once)
        if before is None and not acting.may("refund"):
            await billing.require_refund_limit(tx, payment, acting.project.refund_limit)
        if before is None:
            details = {"refund": refund.id, "amount": str(refund.amount), "currency": refund.currency}
            await audit_request(tx, request, acting, "order.refunded", about=order.id, details=details)
    return mark_replayed(
        json_response(refund_of(await billing.send_refund(billing_context, account, refund)), 201), before
    )
