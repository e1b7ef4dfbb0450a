"""Validates new prices and fills in their defaults."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dream_api.catalog.limits import NAME
from dream_api.catalog.pricing import (
    LARGEST_UNIT_AMOUNT,
    BillingScheme,
    Interval,
    PriceTerms,
    PriceType,
    Step,
    describe_billing,
    describe_interval,
    usage_prices_of,
)
from dream_api.core import money
from dream_api.core.errors import ValidationFailed
from dream_api.core.metadata import Metadata
from dream_api.platforms import ProjectType

MOST_PRICES = 50
MOST_STEPS = 50
LARGEST_PER = 10**9
_MAJOR = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
# Three years, as Stripe has it.
_LONGEST: dict[Interval, int] = {"day": 1095, "week": 156, "month": 36, "year": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A requested price; what is None gets its default from the rest and from the project's type."""

    currency: str
    amount: int | None = None
    type: PriceType | None = None
    billing_scheme: BillingScheme | None = None
    per: int = 1
    steps: tuple[Step, ...] = ()
    interval: Interval | None = None
    interval_count: int | None = None
    meter: str | None = None
    metadata: Metadata | None = None


def parse_amount(major: str, currency: str, param: str) -> int:
    """Minor units of a decimal price in major units, with no more digits than the currency has."""
    if not _MAJOR.fullmatch(major):
        raise ValidationFailed("Enter an amount such as 19.99.", param=param)
    try:
        return money.to_minor(major, currency)
    except ValueError:
        digits = f"{money.digits(currency)} digits after the point"
        raise ValidationFailed(f"{currency.upper()} has {digits}, but the price has more.", param=param) from None


def validate_prices(project_type: ProjectType, wanted: Sequence[NewPrice]) -> tuple[PriceTerms, ...]:
    """The terms of these prices; ValidationFailed where one is invalid, or conflicts with another."""
    if len(wanted) > MOST_PRICES:
        raise ValidationFailed(f"A tier can have at most {MOST_PRICES} prices.", param="prices")
    terms: list[PriceTerms] = []
    for place, new in enumerate(wanted):
        one = _terms_of(project_type, new, f"prices.{place}")
        _refuse_conflicting(terms, one, f"prices.{place}")
        terms.append(one)
    _refuse_mixed_intervals(terms)
    return tuple(terms)


def _refuse_mixed_intervals(terms: Sequence[PriceTerms]) -> None:
    """Usage is billed with each recurring price, at one interval that divides the price's."""
    usage = [price for price in terms if price.type == "usage"]
    for plan in (price for price in terms if price.type == "recurring"):
        billed = usage_prices_of(plan, terms)
        meters = {price.meter for price in billed}
        for price in usage:
            if price.currency == plan.currency and price.meter not in meters:
                raise ValidationFailed(
                    f"Usage of {price.meter}, {describe_billing(price)}, cannot be billed with a price "
                    f"{describe_interval(plan)}.",
                    param=f"prices.{terms.index(price)}.interval",
                    hint="Use the same interval, or one of months for a price per year.",
                )
        if len({(price.interval, price.interval_count) for price in billed}) > 1:
            raise ValidationFailed(
                f"All usage must be billed at the same interval with the price {describe_interval(plan)}.",
                param=f"prices.{terms.index(billed[-1])}.interval",
            )


def _terms_of(project_type: ProjectType, new: NewPrice, at: str) -> PriceTerms:
    kind = _type_of(project_type, new, at)
    scheme = new.billing_scheme or ("flat_rate" if kind == "recurring" else "per_unit")
    currency = _currency_of(new, at)
    _refuse_meter(new, kind, at)
    _refuse_scheme(new, kind, scheme, at)
    interval, count = _interval_of(new, kind, at)
    if new.amount is not None:
        _refuse_amount(new.amount, currency, f"{at}.amount")
    _refuse_steps(new.steps, currency, at)
    return PriceTerms(
        currency=currency,
        type=kind,
        billing_scheme=scheme,
        unit_amount=new.amount,
        per=new.per,
        steps=new.steps,
        interval=interval,
        interval_count=count,
        meter=new.meter,
        metadata=new.metadata,
    )


def _type_of(project_type: ProjectType, new: NewPrice, at: str) -> PriceType:
    if project_type == "store":
        if new.type not in (None, "one_time"):
            raise ValidationFailed("Prices of a store must have the type one_time.", param=f"{at}.type")
        return "one_time"
    if new.type == "one_time":
        raise ValidationFailed("Prices of a saas project must have the type recurring or usage.", param=f"{at}.type")
    return new.type or ("recurring" if new.meter is None else "usage")


def _currency_of(new: NewPrice, at: str) -> str:
    currency = new.currency.lower()
    if currency not in money.CURRENCIES:
        raise ValidationFailed(
            "This currency is not supported.", param=f"{at}.currency", hint="Send an ISO code, such as usd."
        )
    return currency


def _refuse_meter(new: NewPrice, kind: PriceType, at: str) -> None:
    if (kind == "usage") != (new.meter is not None):
        sentence = "A usage price needs a meter." if kind == "usage" else _NO_METER
        raise ValidationFailed(sentence, param=f"{at}.meter")
    if new.meter is not None and not NAME.fullmatch(new.meter):
        raise ValidationFailed(
            "A meter name must be 1 to 63 characters: a-z, 0-9, - and _, beginning with a-z or 0-9.",
            param=f"{at}.meter",
        )


_NO_METER = "Only a usage price can have a meter."


def _refuse_scheme(new: NewPrice, kind: PriceType, scheme: BillingScheme, at: str) -> None:
    if kind == "usage" and scheme == "flat_rate":
        raise ValidationFailed("Usage-based prices cannot be a flat rate.", param=f"{at}.billingScheme", hint=_SCHEMES)
    by_steps = scheme in ("tiered", "volume")
    if by_steps != bool(new.steps):
        sentence = f"A {scheme} price must have tiers." if by_steps else f"A {scheme} price cannot have tiers."
        raise ValidationFailed(sentence, param=f"{at}.tiers", hint=_SCHEMES)
    if by_steps == (new.amount is not None):
        sentence = "A price with tiers cannot have an amount of its own." if by_steps else "A price needs an amount."
        raise ValidationFailed(sentence, param=f"{at}.amount", hint=_AMOUNTS)
    if not 1 <= new.per <= LARGEST_PER:
        raise ValidationFailed(f"The package size must be from 1 to {LARGEST_PER:,} units.", param=f"{at}.per")
    if new.per > 1 and scheme != "per_unit":
        raise ValidationFailed("Only per_unit prices can have a package size.", param=f"{at}.per", hint=_SCHEMES)


_SCHEMES = (
    "Set billingScheme: per_unit with an amount, tiered or volume with tiers, flat_rate only for a quantity of one."
)
_AMOUNTS = (
    "Send amount (minor units) or price (major units). A tiered or volume price has unitAmount in each tier instead."
)


def _interval_of(new: NewPrice, kind: PriceType, at: str) -> tuple[Interval | None, int]:
    if kind == "one_time":
        if new.interval is not None or new.interval_count is not None:
            name = "interval" if new.interval is not None else "intervalCount"
            raise ValidationFailed("One-time prices cannot have a billing interval.", param=f"{at}.{name}")
        return None, 1
    interval, count = new.interval or "month", 1 if new.interval_count is None else new.interval_count
    if not 1 <= count <= _LONGEST[interval]:
        sentence = f"The billing interval must be 1 to {_LONGEST[interval]} {interval}s."
        raise ValidationFailed(sentence, param=f"{at}.intervalCount")
    return interval, count


def _refuse_amount(amount: int, currency: str, param: str) -> None:
    if not 0 <= amount <= LARGEST_UNIT_AMOUNT:
        raise ValidationFailed(f"The amount must be from 0 to {LARGEST_UNIT_AMOUNT:,} minor units.", param=param)
    if amount % money.step(currency):
        raise ValidationFailed(
            f"Amounts in {currency.upper()} must be multiples of {money.step(currency)} minor units.",
            param=param,
            hint="Round the amount. Card networks only accept these amounts.",
        )


def _refuse_steps(steps: Sequence[Step], currency: str, at: str) -> None:
    if len(steps) > MOST_STEPS:
        raise ValidationFailed(f"A price can have at most {MOST_STEPS} tiers.", param=f"{at}.tiers")
    below = 0
    for place, step in enumerate(steps):
        here = f"{at}.tiers.{place}"
        if (step.up_to is None) != (place == len(steps) - 1):
            raise ValidationFailed("The last price tier, and no other, must have no upper limit.", param=f"{here}.upTo")
        if step.up_to is not None:
            if not below < step.up_to <= LARGEST_PER:
                raise ValidationFailed(
                    f"The limits of price tiers must increase, from 1 to {LARGEST_PER:,} units.", param=f"{here}.upTo"
                )
            below = step.up_to
        _refuse_amount(step.unit_amount, currency, f"{here}.unitAmount")
        _refuse_amount(step.flat_amount, currency, f"{here}.flatAmount")


def _refuse_conflicting(others: Sequence[PriceTerms], one: PriceTerms, at: str) -> None:
    if one in others:
        raise ValidationFailed("The tier has the same price twice.", param=at)
    if one.type == "usage" and any(replacement_key(other) == replacement_key(one) for other in others):
        raise ValidationFailed(
            f"The meter {one.meter} already has a price in {one.currency.upper()}.",
            param=f"{at}.meter",
        )


def replacement_key(price: PriceTerms) -> tuple[object, ...]:
    """Identifies what a price is for: a new price replaces the one with the same key."""
    return (price.type, price.currency, price.interval, price.interval_count, price.meter)
