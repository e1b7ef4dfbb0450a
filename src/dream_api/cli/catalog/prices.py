"""The syntax of prices on the command line: `19.99`, or `amount=19.99,currency=usd,interval=year`."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from dream_api.catalog import BillingScheme, Interval, NewPrice, PriceTerms, describe_price, parse_amount
from dream_api.cli.catalog.options import OptionSyntax
from dream_api.core import money

CURRENCY = "usd"
HELP = (
    "A number such as 19.99: US dollars per month, or a one-time price in a store. Or amount=N, followed by any of "
    "these keys, separated by commas: currency=CODE (default usd), interval=day, week, month or year (default month), "
    "count=N intervals (default 1), scheme=flat_rate or per_unit, meter=NAME for a usage-based price, and per=N units "
    "(default 1). Can be repeated. A price replaces the current one for the same currency and interval (or meter). "
    "Other prices stay. Existing subscribers keep their price."
)
_GRAMMAR = OptionSyntax(
    "price",
    ("amount", "currency", "interval", "count", "scheme", "meter", "per"),
    "For example --price 19.99, or --price amount=199,currency=eur,interval=year.",
)
_INTERVALS: dict[str, Interval] = {interval: interval for interval in get_args(Interval.__value__)}
# Those that one amount is enough for.
_SCHEMES: dict[str, BillingScheme] = {"flat_rate": "flat_rate", "per_unit": "per_unit"}


def parse_prices(typed: Sequence[str], currency: str = CURRENCY) -> list[NewPrice]:
    """The typed prices, in their order; `currency` is that of the prices which name none."""
    return [_price_of(text, currency) for text in typed]


def _price_of(text: str, currency: str) -> NewPrice:
    values = _GRAMMAR.parse(text) if "=" in text else {"amount": text}
    if "amount" not in values:
        raise _GRAMMAR.error(f"The price {text!r} needs an amount.")
    currency = values.get("currency", currency)
    return NewPrice(
        currency=currency,
        amount=parse_amount(values["amount"], currency, "price"),
        interval=_GRAMMAR.one_of(_INTERVALS, values["interval"], "interval") if "interval" in values else None,
        interval_count=_GRAMMAR.number(values["count"], "count") if "count" in values else None,
        billing_scheme=_GRAMMAR.one_of(_SCHEMES, values["scheme"], "scheme") if "scheme" in values else None,
        meter=values.get("meter"),
        per=_GRAMMAR.number(values["per"], "per") if "per" in values else 1,
    )


def format_prices(prices: Iterable[PriceTerms]) -> str:
    """A line for each."""
    return "\n".join(describe_price(price) for price in prices)


def price_data(price: PriceTerms) -> dict[str, Any]:
    return {
        "amount": price.unit_amount,
        "price": None if price.unit_amount is None else money.to_major(price.unit_amount, price.currency),
        "currency": price.currency,
        "type": price.type,
        "billingScheme": price.billing_scheme,
        "interval": price.interval,
        "intervalCount": price.interval_count,
        "meter": price.meter,
        "per": price.per,
    }
