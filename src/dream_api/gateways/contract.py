"""The gateway contract: requests, snapshots of gateway objects, and errors; the same for every kind.

Every method calls the gateway and is awaited with no transaction open. `key` is the outgoing idempotency key: the
same call with the same key has its effect once. Moments are whole microseconds, amounts minor units of the currency.

Raises `GatewayUnavailable` where the gateway does not answer (whether it acted is unknown: ask again with the same
key), `GatewayRefused` where it says no, and `CardRefused` where a card was not charged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from dream_api.catalog import Coupon, Price
from dream_api.core.errors import AppError, Conflict, PaymentRequired
from dream_api.platforms import Mode

Kind = Literal["sandbox", "stripe"]
# What an event is about: the object that is read again, and written down, when it is applied.
ObjectKind = Literal["checkout", "subscription", "invoice", "payment"]

CheckoutStatus = Literal["open", "complete", "expired"]
SubscriptionStatus = Literal["trialing", "active", "past_due", "paused", "canceled"]
InvoiceStatus = Literal["draft", "open", "paid", "void", "uncollectible"]
PaymentStatus = Literal["pending", "succeeded", "failed", "canceled"]
RefundStatus = Literal["pending", "succeeded", "failed"]
DisputeStatus = Literal["open", "won", "lost"]


class GatewayUnavailable(AppError):
    status = 502
    code = "gateway_error"
    hint = "Try again in a moment, with the same Idempotency-Key: nothing is charged twice."


class GatewayRefused(Conflict):
    code = "gateway_refused"
    hint = "The message comes from the gateway. Read the object again to see its current state."


def seller_closed() -> GatewayRefused:
    """For customers: the platform is being deleted, or the project was."""
    return GatewayRefused("This seller has closed and sells nothing any more.", hint="Nothing was charged.")


class CardRefused(PaymentRequired):
    """A card was asked for money and gave none; the kinds below say why."""


class CardDeclined(CardRefused):
    code = "card_declined"
    hint = "Ask the customer for another card."


class InsufficientFunds(CardRefused):
    code = "insufficient_funds"
    hint = "Ask the customer for another card, or to try again later."


class AuthenticationRequired(CardRefused):
    code = "authentication_required"
    hint = "The customer must confirm the payment with their bank, on the checkout page or in the portal."


@dataclass(frozen=True, slots=True)
class GatewayAccount:
    """The account of a project and mode at a gateway."""

    id: str
    gateway: Kind
    platform_no: int
    project_id: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class LineItem:
    """A quantity of one price; 0 for a usage price, whose quantity is reported at each period's end."""

    price: Price
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class NewCheckout:
    """A page on which somebody can pay until `expires_at`; with a recurring line it begins a subscription.

    `metadata` comes back on the checkout, and on the subscription or payment that comes of it.
    """

    lines: tuple[LineItem, ...]
    currency: str
    # The gateway's customer; None: one is made, with the e-mail.
    customer: str | None
    email: str | None
    success_url: str
    cancel_url: str
    expires_at: int
    trial_days: int = 0
    coupon: Coupon | None = None
    metadata: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def is_subscription(self) -> bool:
        return any(line.price.type == "recurring" for line in self.lines)


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """What a subscription is to become: its lines from now on, the licensed one first."""

    lines: tuple[LineItem, ...]
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """What a change credits (negative) or charges."""

    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost at this moment; a negative `due` becomes credit on the invoices that follow."""

    currency: str
    due: int
    lines: tuple[PreviewLine, ...]
    # The price of each following billing period, without usage.
    recurring_amount: int
    period_ends_at: int
    # What is taken off the invoice of the current period, which is a draft.
    draft_reduction: int = 0


@dataclass(frozen=True, slots=True)
class HostedPage:
    """A page of the gateway (checkout or portal)."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckoutSnapshot:
    """A checkout as the gateway has it now."""

    id: str
    status: CheckoutStatus
    is_paid: bool
    customer: str | None
    email: str | None
    subscription: str | None
    payment: str | None
    currency: str
    total: int
    discount: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription as the gateway has it now."""

    id: str
    customer: str
    status: SubscriptionStatus
    # Our id of the licensed price.
    price_id: str
    quantity: int
    started_at: int
    period_starts_at: int
    period_ends_at: int
    # Of what is billed by usage, which may be billed more often than the plan.
    usage_period_starts_at: int
    trial_ends_at: int | None
    cancel_at: int | None
    canceled_at: int | None
    ended_at: int | None
    cancel_reason: str | None
    # When the last invoice was made, where that is still not paid.
    unpaid_since: int | None
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line; of a usage line our own key, "usage:<meter>:<period start>"."""

    description: str
    amount: int
    quantity: int | None
    price_id: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class InvoiceSnapshot:
    """An invoice as the gateway has it now."""

    id: str
    number: str | None
    customer: str
    subscription: str | None
    status: InvoiceStatus
    # Such as `subscription_create`, `subscription_cycle`, `subscription_update`, `subscription_cancel`.
    reason: str
    currency: str
    subtotal: int
    discount: int
    total: int
    amount_due: int
    amount_paid: int
    period_starts_at: int
    period_ends_at: int
    created_at: int
    paid_at: int | None
    attempts: int
    next_attempt_at: int | None
    payment: str | None
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    id: str
    amount: int
    status: RefundStatus
    reason: str | None
    created_at: int
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class DisputeSnapshot:
    id: str
    amount: int
    status: DisputeStatus
    reason: str
    created_at: int


@dataclass(frozen=True, slots=True)
class PaymentSnapshot:
    """Money that was asked for, with all refunds and disputes of it."""

    id: str
    customer: str | None
    invoice: str | None
    status: PaymentStatus
    currency: str
    amount: int
    # `card`, with its brand and last four digits; None before there was one.
    method: str | None
    brand: str | None
    last4: str | None
    failure: str | None
    created_at: int
    metadata: dict[str, str]
    refunds: tuple[RefundSnapshot, ...]
    disputes: tuple[DisputeSnapshot, ...]


Snapshot = CheckoutSnapshot | SubscriptionSnapshot | InvoiceSnapshot | PaymentSnapshot


class Gateway(Protocol):
    """One kind of gateway."""

    async def open_checkout(self, account: GatewayAccount, wanted: NewCheckout, *, key: str) -> HostedPage: ...

    async def expire_checkout(self, account: GatewayAccount, checkout_id: str) -> None:
        """Nobody can pay it any more; nothing where it is complete or expired already."""
        ...

    async def open_portal(self, account: GatewayAccount, customer: str, return_url: str) -> HostedPage: ...

    async def read_checkout(self, account: GatewayAccount, checkout_id: str) -> CheckoutSnapshot: ...

    async def read_subscription(self, account: GatewayAccount, subscription_id: str) -> SubscriptionSnapshot: ...

    async def read_invoice(self, account: GatewayAccount, invoice_id: str) -> InvoiceSnapshot: ...

    async def read_payment(self, account: GatewayAccount, payment_id: str) -> PaymentSnapshot: ...

    async def preview_change(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange
    ) -> Preview: ...

    async def change_subscription(
        self, account: GatewayAccount, subscription_id: str, change: SubscriptionChange, *, key: str
    ) -> None:
        """In force at once; what it costs is charged at once, and where that fails nothing changes (`CardRefused`).

        The same interval keeps the period and prorates; another one begins a new period now.
        """
        ...

    async def cancel_subscription(
        self,
        account: GatewayAccount,
        subscription_id: str,
        *,
        at_period_end: bool,
        reason: str | None,
        key: str,
        bills_usage: bool = True,
    ) -> None:
        """`bills_usage`: whether one that ends now is invoiced for its usage; otherwise nothing more is charged."""
        ...

    async def resume_subscription(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        """Take back a cancellation at the period's end."""
        ...

    async def pause_collection(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        """Its periods pass without an invoice; nothing where it is paused, or has ended."""
        ...

    async def resume_collection(self, account: GatewayAccount, subscription_id: str, *, key: str) -> None:
        """At once where the current period is paid for, otherwise with the next one; nothing where it is not paused."""
        ...

    async def add_invoice_line(
        self, account: GatewayAccount, invoice_id: str, line: LineItem, *, amount: int, line_key: str, key: str
    ) -> None:
        """Put a usage line on a draft; the same `line_key` stands on an invoice once."""
        ...

    async def refund(
        self,
        account: GatewayAccount,
        payment_id: str,
        amount: int,
        *,
        reason: str | None,
        metadata: dict[str, str],
        key: str,
    ) -> str:
        """The refund's id."""
        ...
