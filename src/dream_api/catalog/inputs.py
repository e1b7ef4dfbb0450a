"""Request models of tiers and prices, shared by the API and the dashboard."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, JsonValue, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from dream_api.catalog.default_price import with_default_price
from dream_api.catalog.limits import TierLimit
from dream_api.catalog.price_validation import NewPrice, parse_amount, validate_prices
from dream_api.catalog.pricing import LARGEST_UNIT_AMOUNT, BillingScheme, Interval, PriceTerms, PriceType, Step
from dream_api.catalog.tier_lookup import TierWithPrices
from dream_api.catalog.tiers import TierAttributes, TierDraft
from dream_api.core import metadata
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import RequestModel
from dream_api.core.metadata import MetadataUpdate
from dream_api.platforms import ProjectType
from dream_api.usage import LARGEST_COUNT, REQUESTS, Aggregation, LimitKind, Window

LimitWindow = TypeAliasType("LimitWindow", Literal["lifetime", "hour", "day", "month", "period"])
_WINDOWS = {window.wire: window for window in Window}
_MOST_FEATURES = 50
_LONGEST_FEATURE = 200
_LARGEST_INVENTORY = 10**9
# PostgreSQL's text has none.
_NO_NUL = r"^[^\x00]*$"
_LINK = r"^https?://[^\s\x00-\x1f\x7f\"'<>\\]+$"
_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"


def _as_text(value: object) -> object:
    """A JSON number as the decimal that was written."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise PydanticCustomError("decimal", "Send a decimal as text or number")


Major = Annotated[
    str | None, BeforeValidator(_as_text), WithJsonSchema({"anyOf": [{"type": ["string", "number"]}, {"type": "null"}]})
]
_Features = Annotated[
    Any, WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "object"}]})
]
_Amount = Annotated[int, Field(ge=0, le=LARGEST_UNIT_AMOUNT)]


class PriceTierCreate(RequestModel):
    """The price of a unit up to a quantity."""

    up_to: int | None = Field(description="The last unit of this tier; null in the last tier.")
    unit_amount: _Amount
    flat_amount: _Amount = 0


class PriceCreate(RequestModel):
    """A price to create: `amount` in minor units, or `price` in major units."""

    currency: str = Field(max_length=3, description="ISO code, such as usd.")
    amount: _Amount | None = Field(None, description="In minor units, such as 1999.")
    price: Major = Field(None, description='In major units, as decimal text or a number, such as "19.99".')
    type: PriceType | None = Field(None, description="recurring, or usage with a meter; one_time in a store.")
    billing_scheme: BillingScheme | None = Field(
        None,
        description=(
            "By default flat_rate for recurring prices, otherwise per_unit. tiered and volume prices have tiers."
        ),
    )
    per: int = Field(
        1, description="For per_unit: the number of units in a package. The last package is charged completely."
    )
    tiers: list[PriceTierCreate] = Field(
        [], description="For tiered and volume: the amounts by quantity, in ascending order."
    )
    interval: Interval | None = Field(None, description="month by default.")
    interval_count: int | None = Field(None, description="The number of intervals between renewals. 1 by default.")
    meter: str | None = Field(None, description="For usage: the meter to bill. A new meter is created if needed.")
    metadata: MetadataUpdate | None = Field(
        None,
        description="The metadata of a new price, which never changes. If it is left out or null, an existing price "
        "keeps its metadata.",
    )


class LimitCreate(RequestModel):
    """A limit of a meter in a window."""

    meter: str = Field(REQUESTS, pattern=_NAME, description="The name of the meter. A new meter is created if needed.")
    window: LimitWindow = "period"
    kind: LimitKind = Field("hard", description="soft: allows the call and shows the overage.")
    max: int | None = Field(ge=0, le=LARGEST_COUNT, description="null: counted, not limited.")
    aggregation: Aggregation | None = Field(None, description="The aggregation of a new meter. sum by default.")


_EXAMPLE = {
    "name": "pro",
    "displayName": "Pro",
    "description": "For small teams.",
    "features": ["10,000 requests a month", "Support by email"],
    "limit": 10000,
    "price": "19.99",
    "currency": "usd",
    "interval": "month",
}
_CHANGE = {"description": "For teams of any size.", "price": "24.99", "currency": "usd"}


class TierUpdate(RequestModel, json_schema_extra={"examples": [_CHANGE]}):
    """The fields to change. Other fields stay the same, and lists are replaced completely."""

    display_name: str = Field("", max_length=120, description="The name that people see.")
    description: str | None = Field(None, max_length=2_000, pattern=_NO_NUL)
    number: int | None = Field(
        None, description="Your own sort number, unique in the project. For platform levels, the number of the level."
    )
    features: _Features = Field([], description="Up to 50 short texts, or an object of your own.")
    popular: bool = False
    is_visible: bool = Field(True, description="Whether buyers see it.")
    default: bool = Field(
        False, description="Whether customers without a plan of their own use it. Only one tier can be the default."
    )
    sold_out: bool = Field(False, description="Marks the product as sold out, even if units are in stock.")
    trial_days: int = 0
    image_url: str | None = Field(None, max_length=2_000, pattern=_LINK)
    limit: int | None = Field(None, ge=0, le=LARGEST_COUNT, description="Requests per billing period; null: unlimited.")
    limits: list[LimitCreate] = Field([], description="All limits of the tier.")
    price: Major = Field(
        None,
        description='The price in major units, such as "19.99". It replaces the default price and keeps other prices. '
        "Existing subscribers keep their price. null has no effect.",
    )
    currency: str | None = Field(
        None,
        max_length=3,
        description="The currency of price: an ISO code, such as usd. By default, the currency of the replaced price.",
    )
    interval: Interval | None = Field(
        None,
        description=(
            "The interval of price. By default, the interval of the replaced price, or month for a new price. "
            "Products of a store have none."
        ),
    )
    prices: list[PriceCreate] = Field(
        [],
        description=(
            "All prices of the tier, instead of price. A changed price becomes a new price, and existing subscribers "
            "keep the old one."
        ),
    )
    inventory: int | None = Field(
        None,
        ge=0,
        le=_LARGEST_INVENTORY,
        description="For products of a store: units in stock. null: stock is not tracked.",
    )
    low_inventory: int | None = Field(
        None,
        ge=0,
        le=_LARGEST_INVENTORY,
        description="If a sale reduces the stock to this quantity or less, `stock.low` is emitted.",
    )
    metadata: MetadataUpdate | None = Field(
        None,
        description="All of the tier's metadata: up to 50 keys (1 to 40 characters) with text (up to 500 characters); "
        "null: none.",
    )


class TierCreate(TierUpdate, json_schema_extra={"examples": [_EXAMPLE]}):
    """A tier to create: a plan of a SaaS project, or a product of a store."""

    name: str = Field(max_length=63, description="The name in requests, such as pro. It cannot be changed or reused.")


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


def to_draft(project_type: ProjectType, asked: TierUpdate, offer: TierWithPrices | None = None) -> TierDraft:
    """The request as a draft; `offer`: the tier that it changes, None for a new one."""
    sent = asked.model_fields_set
    if "features" in sent:
        _refuse_features(asked.features)
    for name in ("inventory", "low_inventory"):
        if project_type != "store" and getattr(asked, name) is not None:
            raise ValidationFailed("Only products of a store can have an inventory.", param=to_camel(name))
    if project_type == "store" and asked.limit is not None:
        raise ValidationFailed("Products of a store cannot have limits.", param="limit")
    texts = {column: getattr(asked, name) for name, column in _COLUMNS.items() if name in sent}
    if "metadata" in sent:
        texts["metadata"] = metadata.create(asked.metadata)
    limits = _limits_of(asked, () if offer is None else offer.limits)
    return TierDraft(cast(TierAttributes, texts), limits, _prices_of(project_type, asked, offer))


def _prices_of(
    project_type: ProjectType, asked: TierUpdate, offer: TierWithPrices | None
) -> tuple[PriceTerms, ...] | None:
    """All the prices there are to be: as a list, or by `price` alone."""
    is_list = "prices" in asked.model_fields_set
    if asked.price is not None:
        if is_list:
            raise ValidationFailed("Send either price or prices, not both.", param="price", hint=_PRICE_OR_PRICES)
        return with_default_price(project_type, offer, asked.price, currency=asked.currency, interval=asked.interval)
    for name in ("currency", "interval"):
        if getattr(asked, name) is not None:
            raise ValidationFailed(f"The field {name} needs a price.", param=name, hint=_WITH_PRICE)
    return terms_of(project_type, asked.prices) if is_list else None


_PRICE_OR_PRICES = "Send price for one price, or prices for all of them."
_WITH_PRICE = "Send it together with price, or inside prices."


def _limits_of(asked: TierUpdate, standing: tuple[TierLimit, ...]) -> list[TierLimit] | None:
    """All the limits there are to be; `limit` is the one of requests in a period, whether that is listed or not."""
    sent = asked.model_fields_set
    if not sent & {"limit", "limits"}:
        return None
    listed = [_tier_limit(one) for one in asked.limits]
    if "limit" not in sent:
        return listed
    if "limits" not in sent:
        listed = [limit for limit in standing if not limit.is_of_period]
    of_period = {limit.max for limit in listed if limit.is_of_period}
    if of_period - {asked.limit}:
        raise ValidationFailed(
            "The fields limit and limits have different limits for the billing period.",
            param="limit",
            hint=_ONE_OF_THEM,
        )
    return listed if of_period or asked.limit is None else [TierLimit(asked.limit), *listed]


_ONE_OF_THEM = "Leave out one of them. limit is the limit of the meter requests in the window period."


def _tier_limit(asked: LimitCreate) -> TierLimit:
    return TierLimit(asked.max, asked.meter, _WINDOWS[asked.window], asked.kind, asked.aggregation)


def _refuse_features(features: JsonValue) -> None:
    if not isinstance(features, dict) and not _are_short_texts(features):
        sentence = (
            f"Send an object, or a list of at most {_MOST_FEATURES} texts with up to {_LONGEST_FEATURE} characters "
            "each."
        )
        raise ValidationFailed(sentence, param="features")


def _are_short_texts(features: JsonValue) -> bool:
    if not isinstance(features, list) or len(features) > _MOST_FEATURES:
        return False
    return all(isinstance(text, str) and len(text) <= _LONGEST_FEATURE for text in features)


def terms_of(project_type: ProjectType, asked: Sequence[PriceCreate]) -> tuple[PriceTerms, ...]:
    """Validated terms of the requested prices; ValidationFailed where the project's type cannot sell them."""
    return validate_prices(project_type, [new_price(one, f"prices.{place}") for place, one in enumerate(asked)])


def new_price(asked: PriceCreate, at: str) -> NewPrice:
    """The price with its amount in minor units; `at`: its path in the request, for errors."""
    amount = asked.amount
    if asked.price is not None:
        from_price = parse_amount(asked.price, asked.currency, f"{at}.price")
        if amount not in (None, from_price):
            raise ValidationFailed(
                "The fields amount and price have different values.", param=f"{at}.price", hint=_SAME
            )
        amount = from_price
    return NewPrice(
        currency=asked.currency,
        amount=amount,
        type=asked.type,
        billing_scheme=asked.billing_scheme,
        per=asked.per,
        steps=tuple(Step(step.up_to, step.unit_amount, step.flat_amount) for step in asked.tiers),
        interval=asked.interval,
        interval_count=asked.interval_count,
        meter=asked.meter,
        metadata=None if asked.metadata is None else metadata.create(asked.metadata),
    )


_SAME = "Send only one of them. Both have the same meaning."
