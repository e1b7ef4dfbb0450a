"""Pricing: the amount of a quantity at a price, in whole minor units."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Literal, TypeVar

from typing_extensions import TypeAliasType

from dream_api.core import money
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.core.html.format import format_amount
from dream_api.core.html.format import number as format_number
from dream_api.core.metadata import Metadata
from dream_api.core.rounding import divide_rounded

PriceType = TypeAliasType("PriceType", Literal["recurring", "one_time", "usage"])
BillingScheme = TypeAliasType("BillingScheme", Literal["flat_rate", "per_unit", "tiered", "volume"])
Interval = TypeAliasType("Interval", Literal["day", "week", "month", "year"])

# What Stripe charges at most in one payment: the most for one unit, a cart, a period of a subscription, and usage.
LARGEST_CHARGE = LARGEST_UNIT_AMOUNT = 99_999_999
# Whatever is added up stays below 2^53, so that every JSON reader reads it exactly.
LARGEST_AMOUNT = LARGEST_QUANTITY = 2**53 - 1
_A_YEAR: dict[Interval, int] = {"day": 365, "week": 52, "month": 12, "year": 1}
_MONTHS = 12
_ADVERBS: dict[Interval, str] = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}


class AmountTooLarge(Invalid):
    code = "amount_too_large"
    hint = "Use a smaller quantity. At most 99,999,999 minor units can be charged at once."


class AmountTooSmall(Invalid):
    code = "amount_too_small"
    hint = "Sell a larger quantity, or use a coupon that takes off less or everything."


@dataclass(frozen=True, slots=True)
class Step:
    """Up to how many units (None: without end) a unit costs so much; `flat_amount` is asked once for the step."""

    up_to: int | None
    unit_amount: int
    flat_amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms:
    """What is asked for what; terms that are equal sell the same for the same.

    `flat_rate`: `unit_amount` for one, and there is only one. `per_unit`: `unit_amount` for every `per` units, also for
    the last begun ones. `tiered`: each part of the quantity at its own step's price. `volume`: all of it at the price
    of the step that it reaches.
    """

    currency: str
    type: PriceType
    billing_scheme: BillingScheme
    unit_amount: int | None = None
    per: int = 1
    steps: tuple[Step, ...] = ()
    # How often it is asked for; None: once.
    interval: Interval | None = None
    interval_count: int = 1
    # What a usage price is asked for.
    meter: str | None = None
    # What callers attached; None in wanted terms: any will do. It makes no other terms.
    metadata: Metadata | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(PriceTerms):
    """A price as it is sold; it never changes, and an archived one goes on for those who have it."""

    id: str
    tier_id: str
    is_archived: bool = False

    @property
    def terms(self) -> PriceTerms:
        return PriceTerms(**{each.name: getattr(self, each.name) for each in fields(PriceTerms)})


@dataclass(frozen=True, slots=True)
class AmountPart:
    """So many units and what is asked for them: a line of an invoice."""

    quantity: int
    unit_amount: int
    amount: int


P = TypeVar("P", bound=PriceTerms)
_MONTHS_OF = {"month": 1, "year": _MONTHS}


def amount_of(price: PriceTerms, quantity: int) -> int:
    """What so many units cost in minor units; refuses a quantity that cannot be sold, and a sum of 2^53 or more."""
    return sum(part.amount for part in parts_of(price, quantity))


def require_chargeable(amount: int, currency: str, *, param: str) -> None:
    """Raises AmountTooLarge or AmountTooSmall for what no payment can be made of; nothing is always chargeable."""
    if amount > LARGEST_CHARGE:
        most = format_amount(LARGEST_CHARGE, currency)
        raise AmountTooLarge(f"{format_amount(amount, currency)} is more than one payment can be: {most}.", param=param)
    least = money.smallest_charge(currency)
    if 0 < amount < least:
        sentence = (
            f"{format_amount(amount, currency)} is less than the smallest payment: {format_amount(least, currency)}."
        )
        raise AmountTooSmall(sentence, param=param)


def parts_of(price: PriceTerms, quantity: int) -> tuple[AmountPart, ...]:
    """The lines that the amount is made of."""
    if not 0 <= quantity <= LARGEST_QUANTITY:
        raise ValidationFailed(f"The quantity must be a whole number from 0 to {LARGEST_QUANTITY:,}.", param="quantity")
    parts = tuple(_parts(price, quantity))
    if sum(part.amount for part in parts) > LARGEST_AMOUNT:
        raise AmountTooLarge(f"{quantity:,} units cost more than the maximum amount.", param="quantity")
    return parts


def _parts(price: PriceTerms, quantity: int) -> Iterator[AmountPart]:
    match price.billing_scheme:
        case "flat_rate":
            if quantity != 1:
                raise ValidationFailed(
                    "The price is a flat rate: its quantity is always 1.", param="quantity", hint=_ONE
                )
            yield AmountPart(1, _unit_amount(price), _unit_amount(price))
        case "per_unit":
            yield AmountPart(quantity, _unit_amount(price), _unit_amount(price) * -(-quantity // price.per))
        case "tiered":
            yield from _graduated(price.steps, quantity)
        case "volume":
            reached = next(step for step in price.steps if step.up_to is None or quantity <= step.up_to)
            yield AmountPart(quantity, reached.unit_amount, quantity * reached.unit_amount + reached.flat_amount)


def _graduated(steps: tuple[Step, ...], quantity: int) -> Iterator[AmountPart]:
    """The first step is always reached: its flat amount is asked also of those who used nothing."""
    below = 0
    for step in steps:
        units = (quantity if step.up_to is None else min(quantity, step.up_to)) - below
        yield AmountPart(units, step.unit_amount, units * step.unit_amount + step.flat_amount)
        if step.up_to is None or quantity <= step.up_to:
            return
        below = step.up_to


def _unit_amount(price: PriceTerms) -> int:
    assert price.unit_amount is not None
    return price.unit_amount


def monthly_amount(amount: int, interval: Interval, count: int) -> int:
    """What an amount for so many intervals is by the month: a twelfth of a year of 365 days or 52 weeks."""
    return divide_rounded(amount * _A_YEAR[interval], _MONTHS * count)


def bills_within(usage: PriceTerms, plan: PriceTerms) -> bool:
    """Whether the usage price can be billed in the periods of the plan's price: each has a whole number of its own."""
    if (usage.interval, usage.interval_count) == (plan.interval, plan.interval_count):
        return True
    of_usage, of_plan = _months(usage), _months(plan)
    return of_usage is not None and of_plan is not None and of_plan % of_usage == 0


def _months(price: PriceTerms) -> int | None:
    months = _MONTHS_OF.get(price.interval or "")
    return None if months is None else months * price.interval_count


def usage_prices_of(plan: P, prices: Iterable[P]) -> tuple[P, ...]:
    """By which of the prices usage is billed with this recurring price, one for each meter: the longest that fits."""
    fitting: dict[str | None, P] = {}
    usage = [price for price in prices if price.type == "usage" and price.currency == plan.currency]
    for price in sorted(usage, key=lambda price: _months(price) or 0):
        if bills_within(price, plan):
            fitting[price.meter] = price
    return tuple(fitting.values())


def describe_price(price: PriceTerms) -> str:
    """The price in words: `$19.99 per month`, `$0.50 per 1,000 tokens, billed monthly`."""
    terms = " ".join(filter(None, (_describe_amount(price), _describe_units(price))))
    if price.interval is None:
        return terms
    return f"{terms}, {describe_billing(price)}" if price.type == "usage" else f"{terms} {describe_interval(price)}"


def describe_interval(price: PriceTerms) -> str:
    """How often the price is charged: `per month`, `every 3 months`."""
    return f"per {price.interval}" if price.interval_count == 1 else f"every {price.interval_count} {price.interval}s"


def describe_billing(price: PriceTerms) -> str:
    """How often usage is billed: `billed monthly`, `billed every 3 months`."""
    often = _ADVERBS[price.interval] if price.interval and price.interval_count == 1 else describe_interval(price)
    return f"billed {often}"


def _describe_amount(price: PriceTerms) -> str:
    if price.unit_amount is None:
        return f"{price.billing_scheme} pricing in {price.currency.upper()}"
    return format_amount(price.unit_amount, price.currency)


def _describe_units(price: PriceTerms) -> str:
    if price.billing_scheme == "flat_rate":
        return ""
    many = "" if price.per == 1 else f"{format_number(price.per)} "
    return f"per {many}{price.meter or 'unit' + ('s' if many else '')}"


_ONE = "Use the quantity 1, or give the tier a price with the billingScheme per_unit."
