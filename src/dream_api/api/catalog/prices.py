"""Response models of prices."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, computed_field, field_validator

from dream_api.api.models import ResponseModel, StoredMetadata, example
from dream_api.catalog import BillingScheme, Interval, PriceType
from dream_api.core import money

PUBLIC_EXAMPLE: dict[str, Any] = {
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
EXAMPLE: dict[str, Any] = {**PUBLIC_EXAMPLE, "metadata": {}}


class PriceTier(ResponseModel):
    """The price of a unit up to a quantity."""

    up_to: int | None
    unit_amount: int
    flat_amount: int


def _none_if_empty(value: Sequence[object] | None) -> Sequence[object] | None:
    return value or None


class ProductPrice(ResponseModel, json_schema_extra=example(PUBLIC_EXAMPLE)):
    """A price as buyers see it."""

    id: str
    amount: int | None = Field(
        validation_alias="unit_amount", description="In minor units. null: the amounts are in `tiers`."
    )
    currency: str
    type: PriceType
    billing_scheme: BillingScheme
    per: int
    tiers: Annotated[list[PriceTier] | None, BeforeValidator(_none_if_empty)] = Field(validation_alias="steps")
    interval: Interval | None
    interval_count: int | None
    meter: str | None

    @field_validator("interval_count")
    @classmethod
    def _of_an_interval(cls, count: int | None, info: ValidationInfo) -> int | None:
        return None if info.data.get("interval") is None else count

    @computed_field(description="The amount in major units.")
    @property
    def price(self) -> str | None:
        return None if self.amount is None else money.to_major(self.amount, self.currency)


class Price(ProductPrice, json_schema_extra=example(EXAMPLE)):
    """A price of a tier; it never changes."""

    metadata: StoredMetadata
