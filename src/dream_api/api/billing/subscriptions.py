"""`/api/subscriptions`: list, preview, change, cancel and resume subscriptions."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import catalog, gateways
from dream_api.api.billing.models import ResponseModel, Subscription, subscription_of
from dream_api.api.billing.pagination import After, Limit
from dream_api.auth.dependencies import CanSell, CanView, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing import queries, subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock, errors, money
from dream_api.core.db import Database
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    RequestModel,
    error_responses,
    example_response,
    idempotent_external_call,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, InsufficientFunds, SubscriptionChange

router = APIRouter(tags=["Subscriptions"], prefix="/api/subscriptions")

Id = Annotated[str, Path(alias="id", max_length=64, pattern=r"^[^\x00]*$", examples=["sub_01k9q3v8zd0g2m4n6p8r0t2v4w"])]
Status = Literal["trialing", "active", "past_due", "paused", "canceled"]


class SubscriptionUpdate(RequestModel):
    """What the subscription is to become; what is left out stays."""

    tier: str | None = Field(None, min_length=1, max_length=63)
    price_id: str | None = Field(None, max_length=64, description="Which of the tier's prices, where it has several.")
    quantity: int | None = Field(None)


class Cancellation(RequestModel):
    """When the subscription is to end."""

    at_period_end: bool = Field(True, description="false: now; nothing is paid back.")
    reason: str | None = Field(None, max_length=255, pattern=r"^[^\x00]*$")


class SubscriptionList(ResponseModel):
    """Newest first."""

    data: list[Subscription]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


class PreviewLine(ResponseModel):
    description: str
    amount: int


class Preview(ResponseModel):
    """What a change would cost at this moment."""

    currency: str
    due: int = Field(description="Charged at once, in minor units; less than 0: credit on the invoices that follow.")
    price: str = Field(description="The same in major units.")
    lines: list[PreviewLine]
    recurring_amount: int = Field(description="What each full period costs from then on, without usage.")
    current_period_end: str


_SHOWN = {
    "id": "sub_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "userId": "user_123",
    "plan": "pro",
    "priceId": "price_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "productId": "tier_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "amount": 1999,
    "price": "19.99",
    "currency": "usd",
    "quantity": 1,
    "status": "active",
    "startDate": "2026-11-21T09:14:00Z",
    "endDate": None,
    "currentPeriodStart": "2026-11-21T09:14:00Z",
    "currentPeriodEnd": "2026-12-21T09:14:00Z",
    "trialEnd": None,
    "cancelAt": None,
    "canceledAt": None,
    "cancelReason": None,
    "paymentGateway": "sandbox",
    "subscriptionId": "sub_01k9q3v8zd0g2m4n6p8r0t2v4x",
    "stripeCustomerId": "cus_01k9q3v8zd0g2m4n6p8r0t2v4y",
    "createdAt": "2026-11-21T09:14:00Z",
    "updatedAt": "2026-11-21T09:14:00Z",
}
_PREVIEW = {
    "currency": "usd",
    "due": 3000,
    "price": "30.00",
    "lines": [
        {"description": "Unused time on Pro", "amount": -1999},
        {"description": "Remaining time on Team", "amount": 4999},
    ],
    "recurringAmount": 4999,
    "currentPeriodEnd": "2026-12-21T09:14:00Z",
}
_CARDS = (CardDeclined, InsufficientFunds, AuthenticationRequired)
_KEYED = (IdempotencyInProgress, IdempotencyMismatch)
_CHANGING = (
    *PROJECT_AUTH_ERRORS,
    *GATEWAY_ERRORS,
    *JSON_BODY_ERRORS,
    errors.NotFound,
    catalog.UnknownPlan,
    catalog.UnknownPrice,
    catalog.PriceAmbiguous,
    catalog.PriceMissing,
)


@router.get(
    "",
    summary="List subscriptions",
    response_model=SubscriptionList,
    responses={
        **example_response(200, {"data": [_SHOWN], "nextCursor": None}),
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_subscriptions(
    db: Db,
    acting: CanView,
    status: Annotated[Status | None, Query(description="Of this status only.")] = None,
    user_id: Annotated[str | None, Query(alias="userId", max_length=255, description="Of this customer only.")] = None,
    limit: Limit = 20,
    after: After = None,
) -> Response:
    """Newest first."""
    async with db.read() as tx:
        rows, cursor = await queries.list_subscriptions(
            tx, acting.scope, status=status, user_id=user_id, limit=limit, after=after
        )
    return json_response(SubscriptionList(data=[subscription_of(row) for row in rows], next_cursor=cursor))


@router.get(
    "/{id}",
    summary="Read a subscription",
    response_model=Subscription,
    responses={**example_response(200, _SHOWN), **error_responses(*PROJECT_AUTH_ERRORS, errors.NotFound)},
)
async def read_subscription(db: Db, acting: CanView, subscription_id: Id) -> Response:
    return json_response(await _found(db, acting, subscription_id))


@router.post(
    "/{id}/preview",
    summary="Preview a change",
    response_model=Preview,
    responses={**example_response(200, _PREVIEW), **error_responses(*_CHANGING)},
    openapi_extra=request_body(SubscriptionUpdate, {"tier": "team"}),
)
async def preview_change(
    request: Request, db: Db, billing_context: BillingDep, acting: CanSell, subscription_id: Id
) -> Response:
    """What the same change would cost now: the unused rest is credited, the new rest charged. Nothing changes."""
    body, _ = await read_json_body(request, SubscriptionUpdate)
    account, row, change = await _wanted(db, acting, subscription_id, body)
    found = await subscription_changes.preview(billing_context, account, row, change)
    lines = [PreviewLine(description=line.description, amount=line.amount) for line in found.lines]
    return json_response(
        Preview(
            currency=found.currency,
            due=found.due,
            price=money.to_major(found.due, found.currency),
            lines=lines,
            recurring_amount=found.recurring_amount,
            current_period_end=clock.rfc3339(found.period_ends_at),
        )
    )


@router.post(
    "/{id}/change",
    summary="Change a subscription",
    response_model=Subscription,
    responses={**example_response(200, _SHOWN | {"plan": "team"}), **error_responses(*_CHANGING, *_CARDS)},
    openapi_extra=request_body(SubscriptionUpdate, {"tier": "team"}),
)
async def change_subscription(
    request: Request,
    db: Db,
    billing_context: BillingDep,
    acting: CanSell,
    subscription_id: Id,
    _: IdempotencyKey = None,
) -> Response:
    """In force at once, and charged at once; where the card is declined, nothing changes."""
    body, raw = await read_json_body(request, SubscriptionUpdate)

    async def effect(key: str | None) -> Subscription:
        account, row, change = await _wanted(db, acting, subscription_id, body)
        await subscription_changes.change(billing_context, account, row, change, key)
        return await _found(db, acting, subscription_id)

    return await idempotent_external_call(
        request, platform_id=acting.platform_id, caller=acting.caller, body=raw, effect=effect
    )


@router.post(
    "/{id}/cancel",
    summary="Cancel a subscription",
    response_model=Subscription,
    responses={
        **example_response(200, _SHOWN | {"cancelAt": "2026-12-21T09:14:00Z", "canceledAt": "2026-11-21T09:14:00Z"}),
        **error_responses(*PROJECT_AUTH_ERRORS, *GATEWAY_ERRORS, *JSON_BODY_ERRORS, errors.NotFound),
    },
    openapi_extra=request_body(Cancellation, {"atPeriodEnd": True, "reason": "too expensive"}),
)
async def cancel_subscription(
    request: Request,
    db: Db,
    billing_context: BillingDep,
    acting: CanSell,
    subscription_id: Id,
    _: IdempotencyKey = None,
) -> Response:
    """At the end of what was paid for, or now; usage that was not billed yet is billed an hour later."""
    body, raw = await read_json_body(request, Cancellation)

    async def effect(key: str | None) -> Subscription:
        account, row = await _asked(db, acting, subscription_id)
        await subscription_changes.cancel(
            billing_context, account, row, at_period_end=body.at_period_end, reason=body.reason, key=key
        )
        return await _found(db, acting, subscription_id)

    return await idempotent_external_call(
        request, platform_id=acting.platform_id, caller=acting.caller, body=raw, effect=effect
    )


@router.post(
    "/{id}/resume",
    summary="Resume a subscription",
    response_model=Subscription,
    responses={
        **example_response(200, _SHOWN),
        **error_responses(*PROJECT_AUTH_ERRORS, *GATEWAY_ERRORS, *_KEYED, errors.NotFound),
    },
)
async def resume_subscription(
    request: Request,
    db: Db,
    billing_context: BillingDep,
    acting: CanSell,
    subscription_id: Id,
    _: IdempotencyKey = None,
) -> Response:
    """Take back a cancellation at the period's end."""

    async def effect(key: str | None) -> Subscription:
        account, row = await _asked(db, acting, subscription_id)
        await subscription_changes.resume(billing_context, account, row, key)
        return await _found(db, acting, subscription_id)

    return await idempotent_external_call(
        request, platform_id=acting.platform_id, caller=acting.caller, body=b"", effect=effect
    )


async def _asked(db: Database, acting: ProjectPrincipal, subscription_id: str) -> tuple[gateways.GatewayAccount, Any]:
    async with db.read() as tx:
        return await subscription_changes.find_subscription(tx, acting.scope, subscription_id)


async def _wanted(
    db: Database, acting: ProjectPrincipal, subscription_id: str, body: SubscriptionUpdate
) -> tuple[gateways.GatewayAccount, Any, SubscriptionChange]:
    async with db.read() as tx:
        account, row = await subscription_changes.find_subscription(tx, acting.scope, subscription_id)
        change = await subscription_changes.build_change(
            tx, acting.scope, row, tier=body.tier, price_id=body.price_id, quantity=body.quantity
        )
    return account, row, change


async def _found(db: Database, acting: ProjectPrincipal, subscription_id: str) -> Subscription:
    _, row = await _asked(db, acting, subscription_id)
    return subscription_of(row)
