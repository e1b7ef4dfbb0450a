"""Prices on the wire."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from dream_api import catalog
from dream_api.catalog import (
    LARGEST_UNIT_AMOUNT,
    BillingScheme,
    Interval,
    NewPrice,
    Price,
    PriceTerms,
    PriceType,
    appraise,
    minor_of,
)
from dream_api.core import money
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import Body
from dream_api.platforms import ProjectType


def _as_text(told: object) -> object:
    """A JSON number as the decimal that was written."""
    if isinstance(told, str) or told is None:
        return told
    if isinstance(told, (int, float)) and not isinstance(told, bool):
        return str(told)
    raise PydanticCustomError("decimal", "Send a decimal as text or number")


Major = Annotated[
    str | None, BeforeValidator(_as_text), WithJsonSchema({"anyOf": [{"type": ["string", "number"]}, {"type": "null"}]})
]
_Amount = Annotated[int, Field(ge=0, le=LARGEST_UNIT_AMOUNT)]


class AskedStep(Body):
    """What a unit costs up to some quantity."""

    up_to: int | None = Field(description="The last unit of this step; null in the last step.")
    unit_amount: _Amount
    flat_amount: _Amount = 0


class AskedPrice(Body):
    """A price as it is sent: `amount` in minor units or `price` in major ones."""

    currency: str = Field(max_length=3, description="ISO code, such as usd.")
    amount: _Amount | None = Field(None, description="Minor units, such as 1999.")
    price: Major = Field(None, description='Major units as decimal text or number, such as "19.99".')
    type: PriceType | None = Field(None, description="recurring, or usage with a meter; one_time in a store.")
    billing_scheme: BillingScheme | None = Field(
        None, description="By default flat_rate where it recurs, per_unit else; tiered and volume have tiers."
    )
    per: int = Field(1, description="per_unit: how many units one amount buys; begun ones count whole.")
    tiers: list[AskedStep] = Field([], description="tiered, volume: the amounts by quantity, in ascending order.")
    interval: Interval | None = Field(None, description="month where left out.")
    interval_count: int | None = Field(None, description="Every so many intervals; 1 where left out.")
    meter: str | None = Field(None, description="usage: what is counted; one that sums, made where there is none.")


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
    amount: int | None = Field(description="Minor units; null where `tiers` tell the amounts.")
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
SHOWN_PRICE: dict[str, Any] = {
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


def terms_of(project_type: ProjectType, asked: Sequence[AskedPrice]) -> tuple[PriceTerms, ...]:
    """The terms that were asked for; refuses those that cannot be sold in such a project."""
    return appraise(project_type, [_new_price(one, f"prices.{place}") for place, one in enumerate(asked)])


def _new_price(asked: AskedPrice, at: str) -> NewPrice:
    amount = asked.amount
    if asked.price is not None:
        told = minor_of(asked.price, asked.currency, f"{at}.price")
        if amount not in (None, told):
            raise ValidationFailed("The amount and the price differ.", param=f"{at}.price", hint=_ONE_OF_THEM)
        amount = told
    return NewPrice(
        currency=asked.currency,
        amount=amount,
        type=asked.type,
        billing_scheme=asked.billing_scheme,
        per=asked.per,
        steps=tuple(catalog.Step(step.up_to, step.unit_amount, step.flat_amount) for step in asked.tiers),
        interval=asked.interval,
        interval_count=asked.interval_count,
        meter=asked.meter,
    )


_ONE_OF_THEM = "Send one of them; they mean the same."


def shown_price(price: Price) -> ShownPrice:
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
