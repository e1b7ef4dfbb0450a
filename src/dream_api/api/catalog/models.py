"""Response models of tiers and products."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dream_api import catalog
from dream_api.api.catalog import prices
from dream_api.api.catalog.prices import Price, ProductPrice
from dream_api.api.enums import Mode
from dream_api.api.models import ResponseModel, StoredMetadata, Timestamp, attributes_of, example, example_of
from dream_api.catalog import Features, Interval, LimitWindow, TierCreate, TierWithPrices
from dream_api.core import money
from dream_api.store import Inventory
from dream_api.usage import Aggregation, LimitKind, Window

_PRODUCT: dict[str, Any] = {
    "id": "tier_01k9q3v8zd0g2m4n6p8r0t2v4w",
    **example_of(TierCreate),
    "popular": False,
    "imageUrl": None,
    "trialDays": 0,
    "priceId": prices.EXAMPLE["id"],
    "productId": "tier_01k9q3v8zd0g2m4n6p8r0t2v4w",
    "prices": [prices.PUBLIC_EXAMPLE],
    "soldOut": False,
}
_LIMIT = {"meter": "requests", "aggregation": "sum", "window": "period", "kind": "hard", "max": 10000}
_TIER: dict[str, Any] = {
    **_PRODUCT,
    "prices": [prices.EXAMPLE],
    "number": None,
    "limits": [_LIMIT],
    "isVisible": True,
    "default": False,
    "inventory": None,
    "lowInventory": None,
    "metadata": {},
    "mode": "test",
    "createdAt": "2026-11-21T09:14:00Z",
    "updatedAt": "2026-11-21T09:14:00Z",
    "archivedAt": None,
}


def _name_of_window(value: Any) -> Any:
    return value.wire if isinstance(value, Window) else value


WindowOfLimit = Annotated[LimitWindow, BeforeValidator(_name_of_window)]


def _sum_by_default(value: Any) -> Any:
    return value or "sum"


class Limit(ResponseModel):
    """A limit of a meter in a window."""

    meter: str
    aggregation: Annotated[Aggregation, BeforeValidator(_sum_by_default)]
    window: WindowOfLimit
    kind: LimitKind
    max: int | None = Field(description="null: counted, not limited.")


class _TierFields(ResponseModel):
    """What developers and buyers see of a tier, but for its prices."""

    id: str
    name: str
    display_name: str
    description: str | None
    features: Features
    popular: bool = Field(validation_alias="is_popular")
    image_url: str | None
    trial_days: int
    limit: int | None = Field(description="Requests per billing period; null: unlimited.")
    price: str | None = Field(description="The amount of the default price, in major units. null: it has `tiers`.")
    currency: str | None = Field(description="The currency of the default price.")
    interval: Interval | None = Field(description="The interval of the default price. null: a one-time price.")
    price_id: str | None = Field(
        description=(
            "The default price: the first price that was added, or its replacement with the same currency and "
            "interval. Usage-based prices are never the default price. null: none."
        )
    )
    product_id: str | None = Field(description="The id of the tier, if it has a default price.")
    sold_out: bool = Field(validation_alias="is_sold_out")


class Product(_TierFields, json_schema_extra=example(_PRODUCT)):
    """A tier as buyers see it: without metadata."""

    prices: list[ProductPrice]


class Tier(_TierFields, json_schema_extra=example(_TIER)):
    """A plan of a SaaS project, or a product of a store."""

    prices: list[Price]
    number: int | None
    limits: list[Limit]
    is_visible: bool
    default: bool = Field(validation_alias="is_default")
    inventory: int | None = Field(
        description="Units in stock, including those held for open checkouts. null: stock is not tracked."
    )
    low_inventory: int | None
    metadata: StoredMetadata
    mode: Mode
    created_at: Timestamp
    updated_at: Timestamp
    archived_at: Timestamp | None = Field(description="When it was archived.")


def to_product(offer: TierWithPrices, inventory: Inventory) -> Product:
    is_sold_out = offer.is_sold_out or inventory.is_sold_out
    return Product.model_validate(_attributes(offer) | {"is_sold_out": is_sold_out})


def to_tier(offer: TierWithPrices, mode: Mode, inventory: Inventory) -> Tier:
    stock = {"inventory": inventory.on_hand, "low_inventory": inventory.low_at}
    return Tier.model_validate(_attributes(offer) | {**stock, "mode": mode})


def _attributes(offer: TierWithPrices) -> dict[str, Any]:
    return attributes_of(offer) | _of_price(offer.default_price) | {"limit": offer.limit}


def _of_price(default: catalog.Price | None) -> dict[str, str | None]:
    if default is None:
        return dict.fromkeys(("price", "currency", "interval", "price_id", "product_id"))
    amount = default.unit_amount
    return {
        "price": None if amount is None else money.to_major(amount, default.currency),
        "currency": default.currency,
        "interval": default.interval,
        "price_id": default.id,
        "product_id": default.tier_id,
    }
