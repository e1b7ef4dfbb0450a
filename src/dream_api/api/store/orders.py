"""`/api/orders`: list, read and cancel orders."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from dream_api import billing, store
from dream_api.api.store.models import Order, OrderDetail, ResponseModel, order_detail_of, order_of
from dream_api.api.store.params import NO_NUL, Id
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing.dependencies import BillingDep
from dream_api.core import errors
from dream_api.core.db import Tx
from dream_api.core.http import error_responses, example_response, json_response
from dream_api.core.http.dependencies import Db
from dream_api.customers import LONGEST_USER_ID
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import ProjectScope

router = APIRouter(tags=["Store"], prefix="/api/orders")

_CURSOR = r"^ord_[0-9a-z]{26}$"
_SHOWN: dict[str, Any] = {
    "id": "ord_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "number": 17,
    "status": "completed",
    "email": "ada@example.com",
    "userId": None,
    "currency": "usd",
    "subtotal": 3998,
    "discount": 0,
    "total": 3998,
    "price": "39.98",
    "refundedAmount": 0,
    "createdAt": "2026-11-21T09:14:00Z",
    "paidAt": "2026-11-21T09:16:00Z",
    "updatedAt": "2026-11-21T09:16:00Z",
}
_WHOLE: dict[str, Any] = {
    **_SHOWN,
    "lines": [
        {
            "line": 1,
            "tier": "mug",
            "priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "name": "Mug",
            "quantity": 2,
            "unitAmount": 1999,
            "amount": 3998,
            "refundedQuantity": 0,
            "restockedQuantity": 0,
        }
    ],
    "payments": [
        {
            "id": "pay_01k9q3v8zd0g2m4n6p8r0t2v4w",
            "status": "succeeded",
            "amount": 3998,
            "method": "card",
            "brand": "visa",
            "last4": "4242",
            "failure": None,
            "createdAt": "2026-11-21T09:16:00Z",
        }
    ],
    "refunds": [],
    "events": [
        {"at": "2026-11-21T09:14:00Z", "type": "created", "data": {}},
        {"at": "2026-11-21T09:16:00Z", "type": "completed", "data": {}},
    ],
}
_CANCELED: dict[str, Any] = {"status": "canceled", "paidAt": None, "payments": [], "events": _WHOLE["events"][:1]}


class OrderList(ResponseModel):
    """Newest first."""

    data: list[Order]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


@router.get(
    "",
    summary="List orders",
    response_model=OrderList,
    responses={
        **example_response(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_orders(
    db: Db,
    acting: CanView,
    status: Annotated[store.Status | None, Query(description="Of this status only.")] = None,
    email: Annotated[
        str | None, Query(max_length=254, pattern=NO_NUL, description="Of this e-mail address only.")
    ] = None,
    user_id: Annotated[
        str | None,
        Query(alias="userId", max_length=LONGEST_USER_ID, pattern=NO_NUL, description="Of this customer only."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[str | None, Query(pattern=_CURSOR, description="The `nextCursor` of the page before.")] = None,
) -> Response:
    """Newest first; read one of them for its lines and payments."""
    async with db.read() as tx:
        rows = await store.page_of_orders(
            tx, acting.scope, status=status, email=email, user_id=user_id, limit=limit + 1, after=after
        )
    page = [order_of(row) for row in rows[:limit]]
    return json_response(OrderList(data=page, next_cursor=page[-1].id if len(rows) > limit else None))


@router.get(
    "/{id}",
    summary="Read an order",
    response_model=OrderDetail,
    responses={**example_response(200, _WHOLE), **error_responses(*PROJECT_AUTH_ERRORS, errors.NotFound)},
)
async def read_order(db: Db, acting: CanView, order_id: Id) -> Response:
    """With its lines, payments and refunds, and what happened to it."""
    async with db.read() as tx:
        return json_response(await _whole(tx, acting.scope, order_id))


@router.post(
    "/{id}/cancel",
    summary="Cancel an order",
    response_model=OrderDetail,
    responses={
        **example_response(200, {**_WHOLE, **_CANCELED}),
        **error_responses(*PROJECT_AUTH_ERRORS, *GATEWAY_ERRORS, errors.NotFound, store.OrderPaid),
    },
)
async def cancel_order(billing_context: BillingDep, acting: CanSell, order_id: Id) -> Response:
    """Nobody can pay it any more, and what it held is free again. Asked again it answers the same."""
    async with billing_context.database.read() as tx:
        order = await store.find_order(tx, acting.scope, order_id)
        checkout = await billing.checkout_by_id(tx, acting.platform_id, order.checkout_id)
        account = None if checkout is None else await billing.find_account(tx, checkout.account)
    if order.status == "processing" and checkout is not None and account is not None:
        await billing.expire_checkout(billing_context, account, checkout)
    async with billing_context.database.read() as tx:
        store.require_unpaid(await store.find_order(tx, acting.scope, order_id))
        return json_response(await _whole(tx, acting.scope, order_id))


async def _whole(tx: Tx, scope: ProjectScope, order_id: str) -> OrderDetail:
    order = await store.find_order(tx, scope, order_id)
    payment_id = order.payment_id
    return order_detail_of(
        order,
        lines=await store.lines_of(tx, scope.platform_id, order.id),
        payments=await billing.payments_of_checkout(tx, scope.platform_id, order.checkout_id),
        refunds=[] if payment_id is None else await billing.refunds_of(tx, scope.platform_id, payment_id),
        events=await store.events_of(tx, scope.platform_id, order.id),
    )
