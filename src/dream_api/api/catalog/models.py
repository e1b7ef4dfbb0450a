"""Request and response models of tiers and products."""

from typing import Annotated, Any, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from dream_api.api.catalog.prices import PRICE_EXAMPLE, PRICE_RESPONSE, ShownPrice, price_response
from dream_api.catalog import Features, TierWithPrices, WindowName
from dream_api.core import clock, errors
from dream_api.core.errors import AppError
from dream_api.platforms import Mode
from dream_api.store import Inventory
from dream_api.usage import Aggregation, Kind

BODY_ERRORS: tuple[type[AppError], ...] = (
    errors.MalformedJson,
    errors.BodyTooDeep,
    errors.TooLarge,
    errors.UnsupportedMedia,
)


class ShownLimit(BaseModel):
    """How much of a meter fits into a window."""

    meter: str
    aggregation: Aggregation
    window: WindowName
    kind: Kind
    max: int | None


class Product(BaseModel):
    """What buyers are shown."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    name: str
    display_name: str
    description: str | None
    features: list[str] | dict[str, Any]
    popular: bool
    image_url: str | None
    trial_days: int
    limit: int | None = Field(description="Requests a billing period; null: unlimited.")
    prices: list[ShownPrice]
    sold_out: bool


class Tier(Product):
    """A plan of a saas project, or a thing that a store sells."""

    number: int | None
    limits: list[ShownLimit]
    is_visible: bool
    default: bool
    inventory: int | None = Field(description="How many there are, held ones among them; null: not counted.")
    low_inventory: int | None
    mode: Mode
    created_at: str
    updated_at: str
    archived_at: str | None = Field(description="Since when nobody new gets it.")


TIER_EXAMPLE: dict[str, Any] = {
    "name": "pro",
    "displayName": "Pro",
    "description": "For small teams.",
    "features": ["10,000 requests a month", "Support by e-mail"],
    "limit": 10000,
    "prices": [PRICE_EXAMPLE],
}
_LIMIT = {"meter": "requests", "aggregation": "sum", "window": "period", "kind": "hard", "max": 10000}
PRODUCT_RESPONSE: dict[str, Any] = {
    "id": "tier_01k9q3v8zd0g2m4n6p8r0t2v4w",
    **TIER_EXAMPLE,
    "popular": False,
    "imageUrl": None,
    "trialDays": 0,
    "prices": [PRICE_RESPONSE],
    "soldOut": False,
}
TIER_RESPONSE: dict[str, Any] = {
    **PRODUCT_RESPONSE,
    "number": None,
    "limits": [_LIMIT],
    "isVisible": True,
    "default": False,
    "inventory": None,
    "lowInventory": None,
    "mode": "test",
    "createdAt": "2026-11-21T09:14:00Z",
    "updatedAt": "2026-11-21T09:14:00Z",
    "archivedAt": None,
}

Limit = Annotated[int, Query(ge=1, le=100, description="How many to answer.")]
After = Annotated[str | None, Query(pattern=r"^tier_[0-9a-z]{26}$", description="The `nextCursor` of the page before.")]


def product_response(offer: TierWithPrices, *, is_sold_out: bool) -> Product:
    return Product(**_common(offer), sold_out=is_sold_out)


def tier_response(offer: TierWithPrices, mode: Mode, inventory: Inventory) -> Tier:
    limits = [
        ShownLimit(
            meter=limit.meter,
            aggregation=limit.aggregation or "sum",
            window=cast(WindowName, limit.window.wire),
            kind=limit.kind,
            max=limit.max,
        )
        for limit in offer.limits
    ]
    return Tier(
        **_common(offer),
        number=offer.number,
        limits=limits,
        is_visible=offer.is_visible,
        default=offer.is_default,
        sold_out=offer.is_sold_out,
        inventory=inventory.on_hand,
        low_inventory=inventory.low_at,
        mode=mode,
        created_at=clock.rfc3339(offer.created_at),
        updated_at=clock.rfc3339(offer.updated_at),
        archived_at=None if offer.archived_at is None else clock.rfc3339(offer.archived_at),
    )


def _common(offer: TierWithPrices) -> dict[str, Any]:
    features: Features = offer.features
    return {
        "id": offer.id,
        "name": offer.name,
        "display_name": offer.display_name,
        "description": offer.description,
        "features": features,
        "popular": offer.is_popular,
        "image_url": offer.image_url,
        "trial_days": offer.trial_days,
        "limit": offer.limit,
        "prices": [price_response(price) for price in offer.prices],
    }
