"""`/api/orders`: list, get and cancel orders."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

from dream_api import billing, store
from dream_api.api.endpoint import Endpoints, JsonBody
from dream_api.api.models import METADATA_CHANGES, NO_NUL, PageRequest, example, page_of, path_id
from dream_api.api.store.models import Order, OrderDetail, OrderList
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.billing.dependencies import BillingDep
from dream_api.core.db import Row, Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.core.metadata import MetadataUpdate
from dream_api.customers import LONGEST_USER_ID
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.platforms import ProjectScope
from dream_api.store import payment_queries

endpoints = Endpoints("Store", "/api/orders")

Id = Annotated[str, path_id("ord")]


class OrderUpdate(RequestModel, json_schema_extra=example({"metadata": {"tracking": "1Z999"}})):
    """The fields to change; fields that are left out stay as they are."""

    metadata: MetadataUpdate | None = METADATA_CHANGES


@endpoints.get("", "orders.list", "List orders")
async def list_orders(
    db: Db,
    acting: CanView,
    page: Annotated[PageRequest, page_of("ord")],
    status: Annotated[store.Status | None, Query(description="Only subscriptions with this status.")] = None,
    email: Annotated[
        str | None, Query(max_length=254, pattern=NO_NUL, description="Only orders with this email address.")
    ] = None,
    user_id: Annotated[
        str | None,
        Query(
            alias="userId", max_length=LONGEST_USER_ID, pattern=NO_NUL, description="Only the usage of this customer."
        ),
    ] = None,
) -> ModelResponse[OrderList]:
    """Newest first. To see lines and payments, get a single order."""
    async with db.read() as tx:
        rows = await store.page_of_orders(
            tx, acting.scope, status=status, email=email, user_id=user_id, limit=page.fetch, after=page.after
        )
    return json_response(page.page(OrderList, rows))


@endpoints.get("/{id}", "orders.get", "Get an order", errors=(NotFound,))
async def get_order(db: Db, acting: CanView, order_id: Id) -> ModelResponse[OrderDetail]:
    """With its lines, payments, refunds and history."""
    async with db.read() as tx:
        return json_response(await _detail(tx, acting.scope, order_id))


@endpoints.patch("/{id}", "orders.update", "Update an order", errors=(NotFound,))
async def update_order(
    db: Db, acting: CanSell, order_id: Id, body: JsonBody[OrderUpdate]
) -> ModelResponse[OrderDetail]:
    """Its metadata, whatever its status: a tracking number, for example."""
    async with db.write() as tx:
        if "metadata" in body.model_fields_set:
            await store.update_metadata(tx, acting.scope, order_id, body.metadata)
        return json_response(await _detail(tx, acting.scope, order_id))


@endpoints.post("/{id}/cancel", "orders.cancel", "Cancel an order", errors=(*GATEWAY_ERRORS, NotFound, store.OrderPaid))
async def cancel_order(billing_context: BillingDep, acting: CanSell, order_id: Id) -> ModelResponse[OrderDetail]:
    """It can no longer be paid, and its held stock is released. A repeated call returns the same response."""
    async with billing_context.database.read() as tx:
        order = await store.find_order(tx, acting.scope, order_id)
        checkout = await billing.checkout_by_id(tx, acting.platform_no, order.checkout_id)
        account = None if checkout is None else await billing.find_account(tx, checkout.account)
    if order.status == "processing" and checkout is not None and account is not None:
        await billing.expire_checkout(billing_context, account, checkout)
    async with billing_context.database.read() as tx:
        store.require_unpaid(await store.find_order(tx, acting.scope, order_id))
        return json_response(await _detail(tx, acting.scope, order_id))


async def _detail(tx: Tx, scope: ProjectScope, order_id: str) -> OrderDetail:
    order = await store.find_order(tx, scope, order_id)
    refunds: Sequence[Row[Any]] = ()
    if order.payment_id is not None:
        refunds = await payment_queries.refunds_of_payment(tx, scope, order.payment_id)
    return OrderDetail.model_validate(
        dict(Order.model_validate(order))
        | {
            "lines": await store.lines_of(tx, scope.platform_no, order.id),
            "payments": await payment_queries.payments_of_checkout(tx, scope, order.checkout_id),
            "refunds": refunds,
            "events": await store.events_of(tx, scope.platform_no, order.id),
        }
    )
