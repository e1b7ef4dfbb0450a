"""Response models of prices."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.catalog import BillingScheme, Interval, Price, PriceType
from dream_api.core import money


class ShownStep(BaseModel):
    """What a unit costs up to some quantity."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    up_to: int | None
    unit_amount: int
    flat_amount: int


class ShownPrice(BaseModel):
    """A price; it never changes."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    amount: int | None = Field(description="Minor units; null where `tiers` have the amounts.")
    price: str | None = Field(description="The same in major units.")
    currency: str
    type: PriceType
    billing_scheme: BillingScheme
    per: int
    tiers: list[ShownStep] | None
    interval: Interval | None
    interval_count: int | None
    meter: str | None


PRICE_EXAMPLE: dict[str, Any] = {"amount": 1999, "currency": "usd", "interval": "month"}
PRICE_RESPONSE: dict[str, Any] = {
    "id": "price_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "amount": 1999,
    "price": "19.99",
    "currency": "usd",
    "type": "recurring",
    "billingScheme": "flat_rate",
    "per": 1,
    "tiers": None,
    "interval": "month",
    "intervalCount": 1,
    "meter": None,
}


def price_response(price: Price) -> ShownPrice:
    steps = [
        ShownStep(up_to=step.up_to, unit_amount=step.unit_amount, flat_amount=step.flat_amount) for step in price.steps
    ]
    amount = price.unit_amount
    return ShownPrice(
        id=price.id,
        amount=amount,
        price=None if amount is None else money.to_major(amount, price.currency),
        currency=price.currency,
        type=price.type,
        billing_scheme=price.billing_scheme,
        per=price.per,
        tiers=steps or None,
        interval=price.interval,
        interval_count=None if price.interval is None else price.interval_count,
        meter=price.meter,
    )
