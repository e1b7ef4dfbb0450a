"""Amounts of money: whole minor units with an ISO currency; never a float."""

from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation, Overflow

# Currencies that Stripe charges in whole units, and those it charges in thousandths: https://docs.stripe.com/currencies
# UGX stands in Stripe's list of whole units and is charged in hundredths all the same, like ISK: see its special cases.
ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
# What Stripe charges in: https://docs.stripe.com/currencies#presentment-currencies
_CHARGED = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
    cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr
    isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn
    myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle
    sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CHARGED.split())
# Written in hundredths, although only whole units can be charged.
_WHOLE_UNITS_ONLY = frozenset(["isk", "ugx"])
# The least that Stripe charges, in minor units: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
# It has none for other currencies; what it settles in, and so their own least, depends on the account.
_SMALLEST_CHARGES = {
    **dict.fromkeys(("usd", "aud", "brl", "cad", "chf", "eur", "inr", "nzd", "sgd"), 50),
    **dict.fromkeys(("aed", "myr", "pln", "ron"), 200),
    **{"bgn": 100, "czk": 1_500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17_500, "jpy": 50, "mxn": 1_000},
    **{"nok": 300, "sek": 300, "thb": 1_000},
}
# More digits than any sum of money has; what does not fit exactly is refused rather than rounded.
_EXACT = Context(prec=32, traps=[InvalidOperation, Inexact, Overflow, FloatOperation])
_ONE = Decimal(1)


def digits(currency: str) -> int:
    """How many digits the currency has after the point."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """The smallest amount that Stripe charges: every amount of the currency is a multiple of it."""
    code = currency.lower()
    if code in _WHOLE_UNITS_ONLY:
        return 100
    return 10 if code in THREE_DECIMAL else 1


def smallest_charge(currency: str) -> int:
    """The least that one payment can be, in minor units."""
    code = currency.lower()
    return _SMALLEST_CHARGES.get(code, step(code))


def to_minor(major: str | int | Decimal, currency: str) -> int:
    """Minor units of an amount in major ones; ValueError where it is no number or has too many digits."""
    try:
        scaled = _EXACT.create_decimal(major).scaleb(digits(currency), _EXACT)
        return int(scaled.quantize(_ONE, context=_EXACT))
    except (InvalidOperation, Overflow) as problem:
        raise ValueError(f"{major!r} is no amount") from problem
    except Inexact as problem:
        sentence = f"{currency.upper()} has {digits(currency)} digits after the point, {major} has more"
        raise ValueError(sentence) from problem


def to_major(minor: int, currency: str) -> str:
    """The amount in major units as decimal text: 1999 usd is "19.99"."""
    return str(_EXACT.create_decimal(minor).scaleb(-digits(currency), _EXACT))
