"""Response models of orders."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api import store
from dream_api.core import clock, money
from dream_api.core.db import Row


class ResponseModel(BaseModel):
    """camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Order(ResponseModel):
    """What somebody bought, or is about to pay for."""

    id: str
    number: int = Field(description="1, 2, 3 … in the project and mode.")
    status: store.Status
    email: str
    user_id: str | None
    currency: str
    subtotal: int
    discount: int
    total: int = Field(description="What is paid, in minor units.")
    price: str = Field(description="The same in major units, such as 39.98.")
    refunded_amount: int
    created_at: str
    paid_at: str | None
    updated_at: str


class OrderLine(ResponseModel):
    """So many of a product."""

    line: int
    tier: str = Field(description="The product's name.")
    price_id: str
    name: str = Field(description="What the product was called when it was ordered.")
    quantity: int
    unit_amount: int | None = Field(description="What each costs; null where that depends on how many there are.")
    amount: int = Field(description="What they cost together, before the order's discount.")
    refunded_quantity: int
    restocked_quantity: int = Field(description="How many of them went back on sale.")


class OrderPayment(ResponseModel):
    """How it was paid."""

    id: str
    status: Literal["pending", "succeeded", "failed", "canceled"]
    amount: int
    method: str | None
    brand: str | None
    last4: str | None
    failure: str | None
    created_at: str


class OrderRefund(ResponseModel):
    """Money that went back, is on its way, or could not."""

    id: str
    status: Literal["asked", "pending", "succeeded", "failed"]
    amount: int
    currency: str
    reason: str | None
    created_at: str


class OrderEvent(ResponseModel):
    """Something that happened to it."""

    at: str
    type: str = Field(description="More types may come.")
    data: dict[str, Any]


class OrderDetail(Order):
    """An order with all there is of it."""

    lines: list[OrderLine]
    payments: list[OrderPayment] = Field(description="All tries to pay, oldest first.")
    refunds: list[OrderRefund] = Field(description="Oldest first.")
    events: list[OrderEvent] = Field(description="As they happened.")


def order_of(row: Row[Any]) -> Order:
    return Order(**_order(row))


def order_detail_of(
    row: Row[Any],
    *,
    lines: Sequence[Row[Any]],
    payments: Sequence[Row[Any]],
    refunds: Sequence[Row[Any]],
    events: Sequence[Row[Any]],
) -> OrderDetail:
    return OrderDetail(
        **_order(row),
        lines=[_line_of(line) for line in lines],
        payments=[_payment_of(payment) for payment in payments],
        refunds=[refund_of(refund) for refund in refunds],
        events=[OrderEvent(at=clock.rfc3339(each.at), type=each.type, data=json.loads(each.data)) for each in events],
    )


def refund_of(row: Row[Any]) -> OrderRefund:
    return OrderRefund(
        id=row.id,
        status=row.status,
        amount=row.amount,
        currency=row.currency,
        reason=row.reason,
        created_at=clock.rfc3339(row.created_at),
    )


def _order(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "status": row.status,
        "email": row.email,
        "user_id": row.user_id,
        "currency": row.currency,
        "subtotal": row.subtotal,
        "discount": row.discount,
        "total": row.total,
        "price": money.to_major(row.total, row.currency),
        "refunded_amount": row.refunded_amount,
        "created_at": clock.rfc3339(row.created_at),
        "paid_at": None if row.paid_at is None else clock.rfc3339(row.paid_at),
        "updated_at": clock.rfc3339(row.updated_at),
    }


def _line_of(row: Row[Any]) -> OrderLine:
    return OrderLine(
        line=row.line,
        tier=row.tier,
        price_id=row.price_id,
        name=row.name,
        quantity=row.quantity,
        unit_amount=row.unit_amount,
        amount=row.amount,
        refunded_quantity=row.refunded_quantity,
        restocked_quantity=row.restocked_quantity,
    )


def _payment_of(row: Row[Any]) -> OrderPayment:
    return OrderPayment(
        id=row.id,
        status=row.status,
        amount=row.amount,
        method=row.method,
        brand=row.brand,
        last4=row.last4,
        failure=row.failure,
        created_at=clock.rfc3339(row.created_at),
    )
