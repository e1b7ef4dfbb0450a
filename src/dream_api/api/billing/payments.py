"""`/api/payments`: list and get payments, list and create their refunds."""

from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import Field

from dream_api import billing
from dream_api.api.billing.models import Payment, PaymentList, Refund, RefundList
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import METADATA, NO_NUL, PageRequest, example, page_of, path_id
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanRefund, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.billing import BillingContext
from dream_api.billing.dependencies import BillingDep
from dream_api.core import metadata
from dream_api.core.db import Row, Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.core.metadata import MetadataUpdate
from dream_api.gateways import GATEWAY_ERRORS, GatewayAccount
from dream_api.platforms import ProjectScope
from dream_api.store import payment_queries

endpoints = Endpoints("Invoices and payments", "/api/payments")

Id = Annotated[str, path_id("pay")]
Reason = Annotated[str, Field(max_length=255, pattern=NO_NUL)]


class RefundCreate(RequestModel, json_schema_extra=example({"amount": 500, "reason": "one was broken"})):
    """The amount to refund."""

    amount: int | None = Field(None, ge=1, description="In minor units. null: the whole remaining amount.")
    reason: Reason | None = None
    metadata: MetadataUpdate | None = METADATA


@endpoints.get("", "payments.list", "List payments")
async def list_payments(
    db: Db,
    acting: CanView,
    page: Annotated[PageRequest, page_of("pay")],
    status: Annotated[
        Literal["pending", "succeeded", "failed", "canceled"] | None,
        Query(description="Only subscriptions with this status."),
    ] = None,
    customer_id: Annotated[
        str | None, Query(alias="customerId", max_length=64, description="Only objects of this customer, `cus_…`.")
    ] = None,
) -> ModelResponse[PaymentList]:
    """Newest first."""
    async with db.read() as tx:
        rows = await payment_queries.page_of_payments(
            tx, acting.scope, status=status, customer_id=customer_id, limit=page.fetch, after=page.after
        )
    return json_response(page.page(PaymentList, rows))


@endpoints.get("/{id}", "payments.get", "Get a payment", errors=(NotFound,))
async def get_payment(db: Db, acting: CanView, payment_id: Id) -> ModelResponse[Payment]:
    """A payment, successful or not, with how much of it was refunded."""
    async with db.read() as tx:
        return json_response(Payment.model_validate(await _find(tx, acting.scope, payment_id)))


@endpoints.get("/{id}/refunds", "payments.listRefunds", "List refunds of a payment", errors=(NotFound,))
async def list_refunds(db: Db, acting: CanView, payment_id: Id) -> ModelResponse[RefundList]:
    """Oldest first."""
    async with db.read() as tx:
        payment = await _find(tx, acting.scope, payment_id)
        rows = await payment_queries.refunds_of_payment(tx, acting.scope, payment.id)
    return json_response(RefundList.model_validate({"data": rows}))


@endpoints.post(
    "/{id}/refunds",
    "payments.refund",
    "Refund a payment",
    status=201,
    errors=(*GATEWAY_ERRORS, NotFound, billing.RefundTooLarge, billing.RefundLimitExceeded),
)
async def refund_payment(
    billing_context: BillingDep, acting: CanRefund, payment_id: Id, post: Post[RefundCreate]
) -> ModelResponse[Refund]:
    """Refunds a payment completely or partially. The total never exceeds the payment, even with concurrent requests."""
    once = post.once(acting)
    async with billing_context.database.write() as tx:
        account, payment = await billing.find_payment(tx, acting.scope, payment_id)
        before = await billing.find_started_refund(tx, account, once)
        refund = before or await billing.create_refund(
            tx,
            account,
            payment.id,
            post.body.amount,
            reason=post.body.reason,
            metadata=metadata.create(post.body.metadata),
            once=once,
        )
        if before is None:
            await authorize_refund(
                tx, post.request, acting, payment, refund, action="payment.refunded", about=payment.id
            )
    return post.reply(await send_refund(billing_context, acting, account, refund), is_replay=before is not None)


async def authorize_refund(
    tx: Tx,
    request: Request,
    acting: ProjectPrincipal,
    payment: Row[Any],
    refund: Row[Any],
    *,
    action: str,
    about: str,
) -> None:
    """Check the refund limit of members, and record who refunded."""
    if not acting.may("refund"):
        await billing.require_refund_limit(tx, payment, acting.project.refund_limit)
    details = {"refund": refund.id, "amount": str(refund.amount), "currency": refund.currency}
    await audit_request(tx, request, acting, action, about=about, details=details)


async def send_refund(
    billing_context: BillingContext, acting: ProjectPrincipal, account: GatewayAccount, refund: Row[Any]
) -> Refund:
    """Send the refund to the gateway, and return what became of it; no transaction may be open."""
    sent = await billing.send_refund(billing_context, account, refund)
    async with billing_context.database.read() as tx:
        return Refund.model_validate(await payment_queries.refund_in(tx, acting.scope, sent.id))


async def _find(tx: Tx, scope: ProjectScope, payment_id: str) -> Row[Any]:
    payment = await payment_queries.payment_in(tx, scope, payment_id)
    if payment is None:
        raise NotFound("Payment not found.", param="id")
    return payment
