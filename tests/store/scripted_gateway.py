"""A gateway that says what a test has it say, in any order: for what no well-behaved one would do.

It keeps the checkouts, payments and refunds that it was asked for. What it tells is read through the whole of billing.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from dream_api.catalog import amount_of, discount_of
from dream_api.core import clock
from dream_api.gateways.contract import (
    CheckoutSnapshot,
    GatewayAccount,
    GatewayRefused,
    HostedPage,
    NewCheckout,
    PaymentSnapshot,
    RefundSnapshot,
    RefundStatus,
)


@dataclass
class Till:
    """One for all accounts; `refunds_become` is what a refund is from now on when it is asked for."""

    refunds_become: RefundStatus = "succeeded"
    refuses_refunds: bool = False
    checkouts: dict[str, CheckoutSnapshot] = field(default_factory=dict[str, CheckoutSnapshot])
    payments: dict[str, PaymentSnapshot] = field(default_factory=dict[str, PaymentSnapshot])
    _answers: dict[str, str] = field(default_factory=dict[str, str])

    async def open_checkout(self, account: GatewayAccount, wanted: NewCheckout, *, key: str) -> HostedPage:
        checkout_id = self._answers.setdefault(key, f"cs_{len(self.checkouts)}")
        amounts = [amount_of(line.price, line.quantity) for line in wanted.lines]
        discount = 0 if wanted.coupon is None else sum(discount_of(wanted.coupon, amounts))
        self.checkouts.setdefault(
            checkout_id,
            CheckoutSnapshot(
                id=checkout_id,
                status="open",
                is_paid=False,
                customer=None,
                email=wanted.email,
                subscription=None,
                payment=None,
                currency=wanted.currency,
                total=sum(amounts) - discount,
                discount=discount,
                metadata=wanted.metadata,
            ),
        )
        return HostedPage(checkout_id, f"https://till.test/{checkout_id}")

    async def expire_checkout(self, account: GatewayAccount, checkout_id: str) -> None:
        facts = self.checkouts[checkout_id]
        if facts.status == "open":
            self.checkouts[checkout_id] = replace(facts, status="expired")

    async def read_checkout(self, account: GatewayAccount, checkout_id: str) -> CheckoutSnapshot:
        return self.checkouts[checkout_id]

    async def read_payment(self, account: GatewayAccount, payment_id: str) -> PaymentSnapshot:
        return self.payments[payment_id]

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
        if self.refuses_refunds:
            raise GatewayRefused("The till gives nothing back.")
        payment = self.payments[payment_id]
        refund_id = self._answers.setdefault(key, f"re_{len(self._answers)}")
        if refund_id not in {known.id for known in payment.refunds}:
            made = RefundSnapshot(refund_id, amount, self.refunds_become, reason, clock.now(), metadata)
            self.payments[payment_id] = replace(payment, refunds=(*payment.refunds, made))
        return refund_id

    def pay(self, checkout_id: str) -> None:
        """Whatever the checkout's state was; one that costs nothing needs no payment."""
        facts = self.checkouts[checkout_id]
        payment_id = checkout_id.replace("cs_", "pi_") if facts.total else None
        if payment_id is not None:
            self.payments[payment_id] = self._payment(payment_id, facts)
        self.checkouts[checkout_id] = replace(facts, status="complete", is_paid=True, payment=payment_id)

    def decline(self, checkout_id: str) -> str:
        """A try to pay that failed; the payment's id."""
        payment_id = checkout_id.replace("cs_", "pi_declined_")
        declined = self._payment(payment_id, self.checkouts[checkout_id])
        self.payments[payment_id] = replace(declined, status="failed", failure="card_declined")
        return payment_id

    def give_back(self, payment_id: str, amount: int) -> None:
        """A refund that somebody made at the gateway itself."""
        payment = self.payments[payment_id]
        made = RefundSnapshot(f"re_own_{len(payment.refunds)}", amount, "succeeded", None, clock.now(), {})
        self.payments[payment_id] = replace(payment, refunds=(*payment.refunds, made))

    def turn(self, payment_id: str, status: RefundStatus) -> None:
        """All refunds of the payment that are not yet so become so."""
        payment = self.payments[payment_id]
        self.payments[payment_id] = replace(
            payment, refunds=tuple(replace(refund, status=status) for refund in payment.refunds)
        )

    def _payment(self, payment_id: str, facts: CheckoutSnapshot) -> PaymentSnapshot:
        return PaymentSnapshot(
            id=payment_id,
            customer=None,
            invoice=None,
            status="succeeded",
            currency=facts.currency,
            amount=facts.total,
            method="card",
            brand="visa",
            last4="4242",
            failure=None,
            created_at=clock.now(),
            metadata=facts.metadata,
            refunds=(),
            disputes=(),
        )

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"A store does not ask a gateway to {name}.")
