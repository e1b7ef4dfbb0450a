"""Response models of billing."""

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.core import clock, money
from dream_api.core.db import Row
from dream_api.core.http import RequestModel


class ResponseModel(BaseModel):
    """camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Subscription(ResponseModel):
    """What a customer has subscribed to."""

    id: str
    user_id: str
    plan: str
    price_id: str
    product_id: str
    amount: int = Field(description="What a full period costs without usage, in minor units.")
    price: str = Field(description="The same in major units, such as 19.99.")
    currency: str
    quantity: int
    status: Literal["free", "trialing", "active", "past_due", "paused", "canceled"]
    start_date: str
    end_date: str | None
    current_period_start: str
    current_period_end: str
    trial_end: str | None
    cancel_at: str | None
    canceled_at: str | None
    cancel_reason: str | None
    payment_gateway: str
    subscription_id: str = Field(description="The gateway's own id.")
    stripe_customer_id: str = Field(description="The gateway's own id of the customer.")
    created_at: str
    updated_at: str


class InvoiceLine(ResponseModel):
    description: str
    amount: int
    quantity: int | None
    price_id: str | None


class Invoice(ResponseModel):
    """What a customer was asked to pay."""

    id: str
    number: str | None
    subscription: str | None
    customer: str | None
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    reason: str
    currency: str
    subtotal: int
    discount: int
    total: int
    amount_due: int
    amount_paid: int
    period_start: str
    period_end: str
    attempts: int
    next_attempt: str | None
    paid_at: str | None
    lines: list[InvoiceLine]
    created_at: str


class Refund(ResponseModel):
    """Money on its way back."""

    id: str
    payment: str
    status: Literal["asked", "pending", "succeeded", "failed"]
    amount: int
    currency: str
    reason: str | None
    created_at: str


class Payment(ResponseModel):
    """Money that was asked for."""

    id: str
    customer: str | None
    status: Literal["pending", "succeeded", "failed", "canceled"]
    amount: int
    price: str = Field(description="The amount in major units.")
    refunded_amount: int
    currency: str
    method: str | None
    brand: str | None
    last4: str | None
    failure: str | None
    created_at: str


class RefundCreate(RequestModel):
    """How much goes back."""

    amount: int | None = Field(None, ge=1, description="In minor units; all that is left where it is left out.")
    reason: str | None = Field(None, max_length=255, pattern=r"^[^\x00]*$")


def subscription_of(row: Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        user_id=row.user_id,
        plan=row.plan,
        price_id=row.price_id,
        product_id=row.product_id,
        amount=row.amount,
        price=money.to_major(row.amount, row.currency),
        currency=row.currency,
        quantity=row.quantity,
        status=row.status,
        start_date=clock.rfc3339(row.started_at),
        end_date=_at(row.ended_at),
        current_period_start=clock.rfc3339(row.period_starts_at),
        current_period_end=clock.rfc3339(row.period_ends_at),
        trial_end=_at(row.trial_ends_at),
        cancel_at=_at(row.cancel_at),
        canceled_at=_at(row.canceled_at),
        cancel_reason=row.cancel_reason,
        payment_gateway=row.gateway,
        subscription_id=row.gateway_id,
        stripe_customer_id=row.gateway_customer,
        created_at=clock.rfc3339(row.created_at),
        updated_at=clock.rfc3339(row.updated_at),
    )


def invoice_of(row: Row[Any]) -> Invoice:
    return Invoice(
        id=row.id,
        number=row.number,
        subscription=row.subscription_id,
        customer=row.customer_id,
        status=row.status,
        reason=row.reason,
        currency=row.currency,
        subtotal=row.subtotal,
        discount=row.discount,
        total=row.total,
        amount_due=row.amount_due,
        amount_paid=row.amount_paid,
        period_start=clock.rfc3339(row.period_starts_at),
        period_end=clock.rfc3339(row.period_ends_at),
        attempts=row.attempts,
        next_attempt=_at(row.next_attempt_at),
        paid_at=_at(row.paid_at),
        lines=[InvoiceLine.model_validate(line) for line in json.loads(row.lines)],
        created_at=clock.rfc3339(row.created_at),
    )


def payment_of(row: Row[Any]) -> Payment:
    return Payment(
        id=row.id,
        customer=row.customer_id,
        status=row.status,
        amount=row.amount,
        price=money.to_major(row.amount, row.currency),
        refunded_amount=row.refunded,
        currency=row.currency,
        method=row.method,
        brand=row.brand,
        last4=row.last4,
        failure=row.failure,
        created_at=clock.rfc3339(row.created_at),
    )


def refund_of(row: Row[Any]) -> Refund:
    return Refund(
        id=row.id,
        payment=row.payment_id,
        status=row.status,
        amount=row.amount,
        currency=row.currency,
        reason=row.reason,
        created_at=clock.rfc3339(row.created_at),
    )


def _at(moment: int | None) -> str | None:
    return None if moment is None else clock.rfc3339(moment)
