"""Models of money objects: subscriptions, invoices, payments and refunds, the same wherever they are shown."""

from typing import Any, Literal

from pydantic import Field, computed_field
from typing_extensions import TypeAliasType

from dream_api.api.models import Page, ResponseModel, StoredJson, StoredMetadata, Timestamp, example
from dream_api.core import money

SubscriptionStatus = TypeAliasType(
    "SubscriptionStatus", Literal["free", "trialing", "active", "past_due", "paused", "canceled"]
)
InvoiceStatus = TypeAliasType("InvoiceStatus", Literal["draft", "open", "paid", "void", "uncollectible"])
PaymentStatus = TypeAliasType("PaymentStatus", Literal["pending", "succeeded", "failed", "canceled"])
RefundStatus = TypeAliasType("RefundStatus", Literal["asked", "pending", "succeeded", "failed"])

_ID = "01k9q3v8zd0g2m4n6p8r0t2v4w"
_CUSTOMER = {"customerId": f"cus_{_ID}", "userId": "user_123"}
_AT = "2026-11-21T09:14:00Z"


class Subscription(
    ResponseModel,
    json_schema_extra=example(
        {
            "id": f"sub_{_ID}",
            **_CUSTOMER,
            "plan": "pro",
            "priceId": f"price_{_ID}",
            "productId": f"tier_{_ID}",
            "amount": 1999,
            "price": "19.99",
            "currency": "usd",
            "quantity": 1,
            "status": "active",
            "startDate": _AT,
            "endDate": None,
            "currentPeriodStart": _AT,
            "currentPeriodEnd": "2026-12-21T09:14:00Z",
            "trialEnd": None,
            "cancelAt": None,
            "canceledAt": None,
            "cancelReason": None,
            "paymentGateway": "sandbox",
            "subscriptionId": "sub_01k9q3v8zd0g2m4n6p8r0t2v4x",
            "stripeCustomerId": "cus_01k9q3v8zd0g2m4n6p8r0t2v4y",
            "metadata": {"campaign": "spring"},
            "createdAt": _AT,
            "updatedAt": _AT,
        }
    ),
):
    """A customer's recurring purchase of a plan."""

    id: str
    customer_id: str
    user_id: str = Field(description="Your own user ID of the customer.")
    plan: str
    price_id: str
    product_id: str
    amount: int = Field(description="The price of a full billing period without usage, in minor units.")
    currency: str
    quantity: int
    status: SubscriptionStatus
    start_date: Timestamp = Field(validation_alias="started_at")
    end_date: Timestamp | None = Field(validation_alias="ended_at")
    current_period_start: Timestamp = Field(validation_alias="period_starts_at")
    current_period_end: Timestamp = Field(validation_alias="period_ends_at")
    trial_end: Timestamp | None = Field(validation_alias="trial_ends_at")
    cancel_at: Timestamp | None
    canceled_at: Timestamp | None
    cancel_reason: str | None
    payment_gateway: str = Field(validation_alias="gateway")
    subscription_id: str = Field(
        validation_alias="gateway_id", description="The id of the subscription at the gateway."
    )
    stripe_customer_id: str = Field(
        validation_alias="gateway_customer", description="The id of the customer at the gateway."
    )
    metadata: StoredMetadata
    created_at: Timestamp
    updated_at: Timestamp

    @computed_field(description="The amount in major units, such as 19.99.")
    @property
    def price(self) -> str:
        return money.to_major(self.amount, self.currency)


class SubscriptionList(Page[Subscription]):
    """Newest first."""


class MoneyObject(ResponseModel):
    """Whose money it is, and what for."""

    id: str
    customer_id: str | None = Field(description="null: the buyer is not a customer.")
    user_id: str | None = Field(description="Your own user ID of the customer.")
    subscription_id: str | None = Field(description="The subscription of the invoice, `sub_…`.")
    metadata: StoredMetadata


class InvoiceLine(ResponseModel):
    """A line of an invoice."""

    description: str
    amount: int = Field(description="In minor units. Negative amounts are credits.")
    quantity: int | None
    price_id: str | None


class Invoice(
    MoneyObject,
    json_schema_extra=example(
        {
            "id": f"inv_{_ID}",
            **_CUSTOMER,
            "subscriptionId": f"sub_{_ID}",
            "paymentId": f"pay_{_ID}",
            "number": "0001",
            "status": "paid",
            "reason": "subscription_cycle",
            "currency": "usd",
            "subtotal": 1999,
            "discount": 0,
            "total": 1999,
            "amountDue": 1999,
            "amountPaid": 1999,
            "periodStart": "2026-10-21T09:14:00Z",
            "periodEnd": _AT,
            "attempts": 1,
            "nextAttempt": None,
            "paidAt": "2026-11-21T10:14:00Z",
            "lines": [{"description": "Pro", "amount": 1999, "quantity": 1, "priceId": f"price_{_ID}"}],
            "metadata": {"campaign": "spring"},
            "createdAt": _AT,
        }
    ),
):
    """An invoice with its lines."""

    payment_id: str | None = Field(description="The payment of the invoice, or the last failed payment.")
    number: str | None
    status: InvoiceStatus
    reason: str
    currency: str
    subtotal: int
    discount: int
    total: int
    amount_due: int
    amount_paid: int
    period_start: Timestamp = Field(validation_alias="period_starts_at")
    period_end: Timestamp = Field(validation_alias="period_ends_at")
    attempts: int = Field(description="The number of payment attempts.")
    next_attempt: Timestamp | None = Field(validation_alias="next_attempt_at")
    paid_at: Timestamp | None
    lines: StoredJson[list[InvoiceLine]]
    created_at: Timestamp


class InvoiceList(Page[Invoice]):
    """Newest first."""


class Payment(
    MoneyObject,
    json_schema_extra=example(
        {
            "id": f"pay_{_ID}",
            **_CUSTOMER,
            "subscriptionId": f"sub_{_ID}",
            "invoiceId": f"inv_{_ID}",
            "orderId": None,
            "status": "succeeded",
            "amount": 1999,
            "price": "19.99",
            "refundedAmount": 0,
            "currency": "usd",
            "method": "card",
            "brand": "visa",
            "last4": "4242",
            "failure": None,
            "metadata": {"campaign": "spring"},
            "createdAt": _AT,
        }
    ),
):
    """A payment of a customer, successful or not."""

    invoice_id: str | None
    order_id: str | None
    status: PaymentStatus
    amount: int = Field(description="In minor units.")
    refunded_amount: int = Field(validation_alias="refunded")
    currency: str
    method: str | None
    brand: str | None = Field(description="The brand of the card.")
    last4: str | None = Field(description="The last digits of the card.")
    failure: str | None = Field(description="The reason for the failure.")
    created_at: Timestamp

    @computed_field(description="The amount in major units, such as 19.99.")
    @property
    def price(self) -> str:
        return money.to_major(self.amount, self.currency)


class PaymentList(Page[Payment]):
    """Newest first."""


_REFUND: dict[str, Any] = {
    "id": f"ref_{_ID}",
    **_CUSTOMER,
    "subscriptionId": f"sub_{_ID}",
    "paymentId": f"pay_{_ID}",
    "invoiceId": f"inv_{_ID}",
    "orderId": None,
    "status": "succeeded",
    "amount": 500,
    "currency": "usd",
    "reason": "one was broken",
    "metadata": {},
    "createdAt": _AT,
}


class Refund(MoneyObject, json_schema_extra=example(_REFUND)):
    """A refund of a payment, or of a part of it."""

    payment_id: str
    invoice_id: str | None
    order_id: str | None
    status: RefundStatus = Field(description="asked: requested, but not sent to the gateway yet.")
    amount: int = Field(description="In minor units.")
    currency: str
    reason: str | None
    created_at: Timestamp


class RefundList(ResponseModel, json_schema_extra=example({"data": [_REFUND]})):
    """Oldest first."""

    data: list[Refund]
