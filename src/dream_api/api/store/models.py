"""Models of orders."""

from typing import Any

from pydantic import Field, computed_field
from typing_extensions import TypeAliasType

from dream_api import store
from dream_api.api.billing.models import Payment, Refund
from dream_api.api.models import Page, ResponseModel, StoredJson, StoredMetadata, Timestamp, example
from dream_api.core import money

OrderStatus = TypeAliasType("OrderStatus", store.Status)

_ID = "01k9q3v8zd0g2m4n6p8r0t2v4w"
_BUYER = {"customerId": None, "userId": None}
_EXAMPLE: dict[str, Any] = {
    "id": f"ord_{_ID}",
    "number": 17,
    "status": "completed",
    "email": "ada@example.com",
    **_BUYER,
    "paymentId": f"pay_{_ID}",
    "currency": "usd",
    "subtotal": 3998,
    "discount": 0,
    "total": 3998,
    "price": "39.98",
    "refundedAmount": 0,
    "metadata": {"table": "7"},
    "createdAt": "2026-11-21T09:14:00Z",
    "paidAt": "2026-11-21T09:16:00Z",
    "updatedAt": "2026-11-21T09:16:00Z",
}


class Order(ResponseModel, json_schema_extra=example(_EXAMPLE)):
    """An order: a cart that was paid, or that is waiting for payment."""

    id: str
    number: int = Field(description="1, 2, 3 … in the project and mode.")
    status: OrderStatus
    email: str
    customer_id: str | None = Field(description="null: the buyer is not a customer.")
    user_id: str | None = Field(description="Your own user ID of the customer.")
    payment_id: str | None = Field(description="The payment of the order.")
    currency: str
    subtotal: int
    discount: int
    total: int = Field(description="The amount to pay, in minor units.")
    refunded_amount: int
    metadata: StoredMetadata
    created_at: Timestamp
    paid_at: Timestamp | None
    updated_at: Timestamp

    @computed_field(description="The total in major units, such as 39.98.")
    @property
    def price(self) -> str:
        return money.to_major(self.total, self.currency)


class OrderList(Page[Order]):
    """Newest first."""


class OrderLine(ResponseModel):
    """A product of an order, and how many."""

    line: int
    tier: str = Field(description="The product's name.")
    price_id: str
    name: str = Field(description="The display name of the product when it was ordered.")
    quantity: int
    unit_amount: int | None = Field(description="The price of one unit. null: it depends on the quantity.")
    amount: int = Field(description="The amount of the line, before the order's discount.")
    refunded_quantity: int
    restocked_quantity: int = Field(description="The number of refunded units that were returned to stock.")


class OrderEvent(ResponseModel):
    """An entry of an order's history."""

    at: Timestamp
    type: str = Field(description="More types may be added.")
    data: StoredJson[dict[str, Any]]


class OrderDetail(
    Order,
    json_schema_extra=example(
        {
            **_EXAMPLE,
            "lines": [
                {
                    "line": 1,
                    "tier": "mug",
                    "priceId": f"price_{_ID}",
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
                    "id": f"pay_{_ID}",
                    **_BUYER,
                    "subscriptionId": None,
                    "invoiceId": None,
                    "orderId": f"ord_{_ID}",
                    "status": "succeeded",
                    "amount": 3998,
                    "price": "39.98",
                    "refundedAmount": 0,
                    "currency": "usd",
                    "method": "card",
                    "brand": "visa",
                    "last4": "4242",
                    "failure": None,
                    "metadata": {"table": "7"},
                    "createdAt": "2026-11-21T09:16:00Z",
                }
            ],
            "refunds": [],
            "events": [
                {"at": "2026-11-21T09:14:00Z", "type": "created", "data": {}},
                {"at": "2026-11-21T09:16:00Z", "type": "completed", "data": {}},
            ],
        }
    ),
):
    """An order with its lines, payments, refunds and history."""

    lines: list[OrderLine]
    payments: list[Payment] = Field(description="All attempts to pay, oldest first.")
    refunds: list[Refund] = Field(description="Oldest first.")
    events: list[OrderEvent] = Field(description="Its history, oldest first.")
