"""`POST /api/orders/{id}/refunds`: refunds of orders."""

from typing import Annotated

from pydantic import Field

from dream_api import billing, store
from dream_api.api.billing.models import Refund
from dream_api.api.billing.payments import Reason, authorize_refund, send_refund
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import METADATA, example, path_id
from dream_api.auth.dependencies import CanRefund
from dream_api.billing.dependencies import BillingDep
from dream_api.core import metadata
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel
from dream_api.core.metadata import MetadataUpdate
from dream_api.gateways import GATEWAY_ERRORS

endpoints = Endpoints("Store", "/api/orders")


class OrderRefundLine(RequestModel):
    """Units of a line to refund."""

    line: int = Field(ge=1, description="The line's number.")
    quantity: int = Field(ge=1, le=store.MOST_OF_ONE)


class OrderRefundCreate(
    RequestModel,
    json_schema_extra=example({"lines": [{"line": 1, "quantity": 1}], "restock": True, "reason": "one was broken"}),
):
    """Units or an amount to refund. If both are left out, the whole remaining amount is refunded."""

    lines: list[OrderRefundLine] | None = Field(
        None,
        min_length=1,
        max_length=store.MOST_ITEMS,
        description="The units to refund. The amount that was paid for them is refunded.",
    )
    amount: int | None = Field(None, ge=1, description="In minor units, not assigned to a line.")
    restock: bool = Field(False, description="Whether the units are returned to stock.")
    reason: Reason | None = None
    metadata: MetadataUpdate | None = METADATA


@endpoints.post(
    "/{id}/refunds",
    "orders.refund",
    "Refund an order",
    status=201,
    errors=(*GATEWAY_ERRORS, NotFound, store.OrderNotPaid, billing.RefundTooLarge, billing.RefundLimitExceeded),
)
async def refund_order(
    billing_context: BillingDep,
    acting: CanRefund,
    order_id: Annotated[str, path_id("ord")],
    post: Post[OrderRefundCreate],
) -> ModelResponse[Refund]:
    """Refunds some units, an amount, or the whole remaining amount. The order changes when the refund succeeds."""
    once = post.once(acting)
    wanted = _refund_request(post.body)
    async with billing_context.database.write() as tx:
        order = await store.find_order(tx, acting.scope, order_id)
        account, payment = await store.find_payment(tx, acting.scope, order)
        before = await billing.find_started_refund(tx, account, once)
        refund = before or await store.create_refund(tx, account, order, wanted, once=once)
        if before is None:
            await authorize_refund(tx, post.request, acting, payment, refund, action="order.refunded", about=order.id)
    return post.reply(await send_refund(billing_context, acting, account, refund), is_replay=before is not None)


def _refund_request(body: OrderRefundCreate) -> store.RefundRequest:
    units = [(each.line, each.quantity) for each in body.lines or ()]
    return store.RefundRequest(
        units=units,
        amount=body.amount,
        restock=body.restock,
        reason=body.reason,
        metadata=metadata.create(body.metadata),
    )
