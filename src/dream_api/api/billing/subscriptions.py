"""`/api/subscriptions`: list, get, preview, change, cancel and resume subscriptions."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, computed_field

from dream_api import catalog, gateways
from dream_api.api.billing.models import Subscription, SubscriptionList
from dream_api.api.endpoint import Endpoints, JsonBody, Post
from dream_api.api.models import NO_NUL, PageRequest, ResponseModel, Timestamp, example, page_of, path_id
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.billing import queries, subscription_changes
from dream_api.billing.dependencies import BillingDep
from dream_api.core import money
from dream_api.core.db import Database, Row
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.gateways import GATEWAY_ERRORS
from dream_api.gateways.contract import AuthenticationRequired, CardDeclined, InsufficientFunds, SubscriptionChange

endpoints = Endpoints("Subscriptions", "/api/subscriptions")

Id = Annotated[str, path_id("sub")]
_GATEWAY_ERRORS = (*GATEWAY_ERRORS, NotFound)
_CHANGE_ERRORS = (
    *_GATEWAY_ERRORS,
    catalog.UnknownPlan,
    catalog.UnknownPrice,
    catalog.PriceAmbiguous,
    catalog.PriceMissing,
)
_CARD_ERRORS = (CardDeclined, InsufficientFunds, AuthenticationRequired)


class SubscriptionUpdate(RequestModel, json_schema_extra=example({"tier": "team"})):
    """The fields to change. Other fields stay the same."""

    tier: str | None = Field(None, min_length=1, max_length=63, description="The plan's name.")
    price_id: str | None = Field(None, max_length=64, description="One of the plan's prices, if it has several.")
    quantity: int | None = None


class SubscriptionCancel(RequestModel, json_schema_extra=example({"atPeriodEnd": True, "reason": "too expensive"})):
    """When to end the subscription."""

    at_period_end: bool = Field(True, description="false: cancels immediately, without a refund.")
    reason: str | None = Field(None, max_length=255, pattern=NO_NUL)


class SubscriptionPreviewLine(ResponseModel):
    """A line of the invoice that a change would create."""

    description: str
    amount: int = Field(description="In minor units. Negative amounts are credits.")


class SubscriptionPreviewUsage(ResponseModel):
    """Usage of the current billing period so far, at one price."""

    meter: str
    quantity: int
    amount: int | None = Field(description="In minor units. null: more than one payment can be.")


class SubscriptionPreview(
    ResponseModel,
    json_schema_extra=example(
        {
            "currency": "usd",
            "due": 3000,
            "price": "30.00",
            "lines": [
                {"description": "Unused time on Pro", "amount": -1999},
                {"description": "Remaining time on Team", "amount": 4999},
            ],
            "draftReduction": 0,
            "recurringAmount": 4999,
            "currentPeriodEnd": "2026-12-21T09:14:00Z",
            "usage": [{"meter": "tokens", "quantity": 1200, "amount": 600}],
        }
    ),
):
    """A preview of the cost of a change."""

    currency: str
    due: int = Field(
        description=(
            "The amount that is charged immediately, in minor units. Negative amounts are credited on the next "
            "invoices."
        )
    )
    lines: list[SubscriptionPreviewLine]
    draft_reduction: int = Field(
        description="What is taken off the draft invoice of the current period, in minor units, instead of a credit."
    )
    recurring_amount: int = Field(description="The price of each following billing period, without usage.")
    current_period_end: Timestamp = Field(validation_alias="period_ends_at")
    usage: list[SubscriptionPreviewUsage] = Field(
        description="What the next invoice bills for the usage of this period so far, at the prices it was counted at."
    )

    @computed_field(description="The amount due, in major units.")
    @property
    def price(self) -> str:
        return money.to_major(self.due, self.currency)


@endpoints.get("", "subscriptions.list", "List subscriptions")
async def list_subscriptions(
    db: Db,
    acting: CanView,
    page: Annotated[PageRequest, page_of("sub")],
    status: Annotated[
        Literal["trialing", "active", "past_due", "paused", "canceled"] | None,
        Query(description="Only subscriptions with this status."),
    ] = None,
    user_id: Annotated[
        str | None, Query(alias="userId", min_length=1, max_length=255, description="Only the usage of this customer.")
    ] = None,
) -> ModelResponse[SubscriptionList]:
    """Newest first."""
    async with db.read() as tx:
        rows = await queries.page_of_subscriptions(
            tx, acting.scope, status=status, user_id=user_id, limit=page.fetch, after=page.after
        )
    return json_response(page.page(SubscriptionList, rows))


@endpoints.get("/{id}", "subscriptions.get", "Get a subscription", errors=(NotFound,))
async def get_subscription(db: Db, acting: CanView, subscription_id: Id) -> ModelResponse[Subscription]:
    """A subscription with its plan, status and current billing period."""
    return json_response(await _subscription(db, acting, subscription_id))


@endpoints.post("/{id}/preview", "subscriptions.preview", "Preview a change of a subscription", errors=_CHANGE_ERRORS)
async def preview_change(
    db: Db, billing_context: BillingDep, acting: CanSell, subscription_id: Id, body: JsonBody[SubscriptionUpdate]
) -> ModelResponse[SubscriptionPreview]:
    """The current cost of the change: unused time is credited, and remaining time is charged. Nothing is changed."""
    account, row, change = await _build_change(db, acting, subscription_id, body)
    preview = await subscription_changes.preview(billing_context, account, row, change)
    owed = [SubscriptionPreviewUsage.model_validate(each) for each in preview.usage]
    return json_response(SubscriptionPreview.model_validate({**asdict(preview.cost), "usage": owed}))


@endpoints.post(
    "/{id}/change", "subscriptions.change", "Change a subscription", errors=(*_CHANGE_ERRORS, *_CARD_ERRORS)
)
async def change_subscription(
    db: Db, billing_context: BillingDep, acting: CanSell, subscription_id: Id, post: Post[SubscriptionUpdate]
) -> ModelResponse[Subscription]:
    """Takes effect and is charged immediately. If the card is declined, nothing changes."""

    async def effect(key: str | None) -> Subscription:
        account, row, change = await _build_change(db, acting, subscription_id, post.body)
        await subscription_changes.change(billing_context, account, row, change, key)
        return await _subscription(db, acting, subscription_id)

    return await post.call(acting, effect)


@endpoints.post("/{id}/cancel", "subscriptions.cancel", "Cancel a subscription", errors=_GATEWAY_ERRORS)
async def cancel_subscription(
    db: Db, billing_context: BillingDep, acting: CanSell, subscription_id: Id, post: Post[SubscriptionCancel]
) -> ModelResponse[Subscription]:
    """At the end of the paid period, or immediately. Usage that was not billed yet is billed an hour later."""
    body = post.body

    async def effect(key: str | None) -> Subscription:
        account, row = await _find(db, acting, subscription_id)
        await subscription_changes.cancel(
            billing_context, account, row, at_period_end=body.at_period_end, reason=body.reason, key=key
        )
        return await _subscription(db, acting, subscription_id)

    return await post.call(acting, effect)


@endpoints.post("/{id}/resume", "subscriptions.resume", "Resume a subscription", errors=_GATEWAY_ERRORS)
async def resume_subscription(
    db: Db, billing_context: BillingDep, acting: CanSell, subscription_id: Id, post: Post[None]
) -> ModelResponse[Subscription]:
    """Undoes a cancellation at the end of the period."""

    async def effect(key: str | None) -> Subscription:
        account, row = await _find(db, acting, subscription_id)
        await subscription_changes.resume(billing_context, account, row, key)
        return await _subscription(db, acting, subscription_id)

    return await post.call(acting, effect)


async def _find(
    db: Database, acting: ProjectPrincipal, subscription_id: str
) -> tuple[gateways.GatewayAccount, Row[Any]]:
    async with db.read() as tx:
        return await subscription_changes.find_subscription(tx, acting.scope, subscription_id)


async def _build_change(
    db: Database, acting: ProjectPrincipal, subscription_id: str, body: SubscriptionUpdate
) -> tuple[gateways.GatewayAccount, Row[Any], SubscriptionChange]:
    async with db.read() as tx:
        account, row = await subscription_changes.find_subscription(tx, acting.scope, subscription_id)
        change = await subscription_changes.build_change(
            tx, acting.scope, row, tier=body.tier, price_id=body.price_id, quantity=body.quantity
        )
    return account, row, change


async def _subscription(db: Database, acting: ProjectPrincipal, subscription_id: str) -> Subscription:
    _, row = await _find(db, acting, subscription_id)
    return Subscription.model_validate(row)
