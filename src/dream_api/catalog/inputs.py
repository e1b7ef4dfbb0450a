"""Request models of tiers and prices, shared by the API and the dashboard."""

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, JsonValue, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from dream_api.catalog.limits import TierLimit
from dream_api.catalog.price_validation import NewPrice, parse_amount, validate_prices
from dream_api.catalog.pricing import LARGEST_UNIT_AMOUNT, BillingScheme, Interval, PriceTerms, PriceType, Step
from dream_api.catalog.tier_lookup import TierWithPrices
from dream_api.catalog.tiers import TierAttributes, TierDraft
from dream_api.core.errors import ValidationFailed
from dream_api.core.http import RequestModel
from dream_api.platforms import ProjectType
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
_Amount = Annotated[int, Field(ge=0, le=LARGEST_UNIT_AMOUNT)]


class PriceStepInput(RequestModel):
    """What a unit costs up to some quantity."""

    up_to: int | None = Field(description="The last unit of this step; null in the last step.")
    unit_amount: _Amount
    flat_amount: _Amount = 0


class PriceInput(RequestModel):
    """A price as it is sent: `amount` in minor units or `price` in major ones."""

    currency: str = Field(max_length=3, description="ISO code, such as usd.")
    amount: _Amount | None = Field(None, description="Minor units, such as 1999.")
    price: Major = Field(None, description='Major units as decimal text or number, such as "19.99".')
    type: PriceType | None = Field(None, description="recurring, or usage with a meter; one_time in a store.")
    billing_scheme: BillingScheme | None = Field(
        None, description="By default flat_rate where it recurs, per_unit else; tiered and volume have tiers."
    )
    per: int = Field(1, description="per_unit: how many units one amount buys; begun ones count whole.")
    tiers: list[PriceStepInput] = Field([], description="tiered, volume: the amounts by quantity, in ascending order.")
    interval: Interval | None = Field(None, description="month where left out.")
    interval_count: int | None = Field(None, description="Every so many intervals; 1 where left out.")
    meter: str | None = Field(None, description="usage: what is counted; one that sums, made where there is none.")


class LimitInput(RequestModel):
    """How much of a meter fits into a window."""

    meter: str = Field(REQUESTS, pattern=_NAME, description="What is counted; one that there is not is made.")
    window: WindowName = "period"
    kind: Kind = Field("hard", description="soft: allows the call and reports the overage.")
    max: int | None = Field(ge=0, le=LARGEST_COUNT, description="null: counted, not limited.")
    aggregation: Aggregation | None = Field(None, description="How a new meter counts; sum where left out.")


class TierChange(RequestModel):
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
    limits: list[LimitInput] = Field([], description="All limits of the tier.")
    prices: list[PriceInput] = Field([], description="A price that differs is a new one; buyers of the former keep it.")
    inventory: int | None = Field(None, ge=0, le=_LARGEST_INVENTORY, description="A store's: null is not counted.")
    low_inventory: int | None = Field(
        None, ge=0, le=_LARGEST_INVENTORY, description="A sale that leaves this many or fewer emits `stock.low`."
    )


class NewTier(TierChange):
    """A tier to make."""

    name: str = Field(max_length=63, description="Its stable name, such as pro; it is given once.")


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


def to_draft(project_type: ProjectType, asked: TierChange, offer: TierWithPrices | None = None) -> TierDraft:
    """The request as a draft; `offer`: the tier that it changes, None for a new one."""
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
    return TierDraft(cast(TierAttributes, texts), _limits_of(asked, () if offer is None else offer.limits), prices)


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
    of_period = {limit.max for limit in listed if limit.is_of_period}
    if of_period - {asked.limit}:
        raise ValidationFailed("The limit and the limits of the period differ.", param="limit", hint=_ONE_OF_THEM)
    return listed if of_period or asked.limit is None else [TierLimit(asked.limit), *listed]


_ONE_OF_THEM = "Leave one of them out: limit is that of the meter requests in the window period."


def _tier_limit(asked: LimitInput) -> TierLimit:
    return TierLimit(asked.max, asked.meter, _WINDOWS[asked.window], asked.kind, asked.aggregation)


def _refuse_features(features: JsonValue) -> None:
    if not isinstance(features, dict) and not _are_short_texts(features):
        sentence = f"Features are at most {_MOST_FEATURES} texts of {_LONGEST_FEATURE} characters, or an object."
        raise ValidationFailed(sentence, param="features")


def _are_short_texts(features: JsonValue) -> bool:
    if not isinstance(features, list) or len(features) > _MOST_FEATURES:
        return False
    return all(isinstance(text, str) and len(text) <= _LONGEST_FEATURE for text in features)


def terms_of(project_type: ProjectType, asked: Sequence[PriceInput]) -> tuple[PriceTerms, ...]:
    """Validated terms of the requested prices; ValidationFailed where the project's type cannot sell them."""
    return validate_prices(project_type, [new_price(one, f"prices.{place}") for place, one in enumerate(asked)])


def new_price(asked: PriceInput, at: str) -> NewPrice:
    """The price with its amount in minor units; `at`: its path in the request, for errors."""
    amount = asked.amount
    if asked.price is not None:
        from_price = parse_amount(asked.price, asked.currency, f"{at}.price")
        if amount not in (None, from_price):
            raise ValidationFailed("The amount and the price differ.", param=f"{at}.price", hint=_SAME)
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
    )


_SAME = "Send one of them; they mean the same."
