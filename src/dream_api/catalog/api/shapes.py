"""Tiers on the wire: as they are sent, and as they are shown."""

from typing import Annotated, Any, Literal, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from dream_api.catalog import Draft, Features, Offer, Texts, TierLimit
from dream_api.catalog.api.prices import PRICE_EXAMPLE, SHOWN_PRICE, AskedPrice, ShownPrice, shown_price, terms_of
from dream_api.core import clock, errors
from dream_api.core.errors import Refusal, ValidationFailed
from dream_api.core.http import Body
from dream_api.platforms import Mode, ProjectType
from dream_api.store import Inventory
from dream_api.usage import LARGEST_COUNT, REQUESTS, Aggregation, Kind, Window

WindowName = Literal["lifetime", "hour", "day", "month", "period"]
_WINDOWS = {window.wire: window for window in Window}
_MOST_FEATURES = 50
_LONGEST_FEATURE = 200
_LARGEST_INVENTORY = 10**9
# PostgreSQL's text has none.
_NO_NUL = r"^[^\x00]*$"
_LINK = r"^https?://[^\s\x00-\x1f\x7f\"'<>\\]+$"
_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
BODY_REFUSALS: tuple[type[Refusal], ...] = (
    errors.MalformedJson,
    errors.BodyTooDeep,
    errors.TooLarge,
    errors.UnsupportedMedia,
)


class AskedLimit(Body):
    """How much of a meter fits into a window."""

    meter: str = Field(REQUESTS, pattern=_NAME, description="What is counted; one that there is not is made.")
    window: WindowName = "period"
    kind: Kind = Field("hard", description="soft: allows, and tells the overage.")
    max: int | None = Field(ge=0, le=LARGEST_COUNT, description="null: counted, not limited.")
    aggregation: Aggregation | None = Field(None, description="How a new meter counts; sum where left out.")


class TierChange(Body):
    """What is to change; what is left out stays, and lists are replaced as a whole."""

    display_name: str = Field("", max_length=120, description="What people call it.")
    description: str | None = Field(None, max_length=2_000, pattern=_NO_NUL)
    number: int | None = Field(
        None, description="A number of your own, given once; a level's number in the home project."
    )
    features: JsonValue = Field(
        [],
        description="Up to 50 short texts, or an object of your own.",
        json_schema_extra={"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}]},
    )
    popular: bool = False
    is_visible: bool = Field(True, description="Whether buyers are shown it.")
    default: bool = Field(
        False, description="Whether customers without a plan are on it; the former default is not then."
    )
    sold_out: bool = Field(False, description="Nobody can buy it for now, whatever is in stock.")
    trial_days: int = 0
    image_url: str | None = Field(None, max_length=2_000, pattern=_LINK)
    limit: int | None = Field(None, ge=0, le=LARGEST_COUNT, description="Requests a billing period; null: unlimited.")
    limits: list[AskedLimit] = Field([], description="All limits of the tier.")
    prices: list[AskedPrice] = Field([], description="A price that differs is a new one; buyers of the former keep it.")
    inventory: int | None = Field(None, ge=0, le=_LARGEST_INVENTORY, description="A store's: null is not counted.")
    low_inventory: int | None = Field(
        None, ge=0, le=_LARGEST_INVENTORY, description="The event `stock.low` tells of a sale that leaves so many."
    )


class NewTier(TierChange):
    """A tier to make."""

    name: str = Field(max_length=63, description="Its stable name, such as pro; it is given once.")


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
SHOWN_PRODUCT: dict[str, Any] = {
    "id": "tier_01k9q3v8zd0g2m4n6p8r0t2v4w",
    **TIER_EXAMPLE,
    "popular": False,
    "imageUrl": None,
    "trialDays": 0,
    "prices": [SHOWN_PRICE],
    "soldOut": False,
}
SHOWN_TIER: dict[str, Any] = {
    **SHOWN_PRODUCT,
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


def shown(status: int, example: Any) -> dict[int | str, dict[str, Any]]:
    """The answer of an operation, by an example."""
    return {status: {"content": {"application/json": {"example": example}}}}


_COLUMNS = {
    "display_name": "display_name",
    "description": "description",
    "number": "number",
    "features": "features",
    "popular": "is_popular",
    "is_visible": "is_visible",
    "default": "is_default",
    "sold_out": "is_sold_out",
    "trial_days": "trial_days",
    "image_url": "image_url",
}


def draft_of(project_type: ProjectType, asked: TierChange, offer: Offer | None = None) -> Draft:
    """What was asked for, of a tier that is there or of a new one."""
    sent = asked.model_fields_set
    if "features" in sent:
        _refuse_features(asked.features)
    for name in ("inventory", "low_inventory"):
        if project_type != "store" and getattr(asked, name) is not None:
            raise ValidationFailed("Only what a store sells is in stock.", param=to_camel(name))
    if project_type == "store" and asked.limit is not None:
        raise ValidationFailed("What a store sells has no limit: nothing is metered there.", param="limit")
    texts = {column: getattr(asked, name) for name, column in _COLUMNS.items() if name in sent}
    prices = terms_of(project_type, asked.prices) if "prices" in sent else None
    return Draft(cast(Texts, texts), _limits_of(asked, () if offer is None else offer.limits), prices)


def _limits_of(asked: TierChange, standing: tuple[TierLimit, ...]) -> list[TierLimit] | None:
    """All the limits there are to be; `limit` is the one of requests in a period, whether that is listed or not."""
    sent = asked.model_fields_set
    if not sent & {"limit", "limits"}:
        return None
    listed = [_tier_limit(one) for one in asked.limits]
    if "limit" not in sent:
        return listed
    if "limits" not in sent:
        listed = [limit for limit in standing if not limit.is_of_period]
    told = {limit.max for limit in listed if limit.is_of_period}
    if told - {asked.limit}:
        raise ValidationFailed("The limit and the limits of the period differ.", param="limit", hint=_ONE_OF_THEM)
    return listed if told or asked.limit is None else [TierLimit(asked.limit), *listed]


_ONE_OF_THEM = "Leave one of them out: limit is that of the meter requests in the window period."


def _tier_limit(asked: AskedLimit) -> TierLimit:
    return TierLimit(asked.max, asked.meter, _WINDOWS[asked.window], asked.kind, asked.aggregation)


def _refuse_features(features: JsonValue) -> None:
    if not isinstance(features, dict) and not _are_short_texts(features):
        sentence = f"Features are at most {_MOST_FEATURES} texts of {_LONGEST_FEATURE} characters, or an object."
        raise ValidationFailed(sentence, param="features")


def _are_short_texts(told: JsonValue) -> bool:
    if not isinstance(told, list) or len(told) > _MOST_FEATURES:
        return False
    return all(isinstance(text, str) and len(text) <= _LONGEST_FEATURE for text in told)


def shown_product(offer: Offer, *, is_sold_out: bool) -> Product:
    return Product(**_common(offer), sold_out=is_sold_out)


def shown_tier(offer: Offer, mode: Mode, inventory: Inventory) -> Tier:
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


def _common(offer: Offer) -> dict[str, Any]:
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
        "prices": [shown_price(price) for price in offer.prices],
    }
