"""Money is whole minor units with an ISO currency; never a float."""

from decimal import Decimal, InvalidOperation

# Currencies that Stripe charges in whole units, and those it charges in thousandths: https://docs.stripe.com/currencies
ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def digits(currency: str) -> int:
    """How many digits the currency has after the point."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def to_minor(major: str | int | Decimal, currency: str) -> int:
    """Minor units of an amount told in major ones; ValueError where it is no number or has too many digits."""
    try:
        amount = Decimal(major)
    except InvalidOperation as problem:
        raise ValueError(f"{major!r} is no amount") from problem
    if not amount.is_finite():
        raise ValueError(f"{major!r} is no amount")
    scaled = amount.scaleb(digits(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{currency.upper()} has {digits(currency)} digits after the point, {major} has more")
    return int(scaled)


def to_major(minor: int, currency: str) -> str:
    """The amount in major units as decimal text: 1999 usd is "19.99"."""
    return str(Decimal(minor).scaleb(-digits(currency)))
