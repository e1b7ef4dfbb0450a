"""Money is whole minor units, converted to major ones without floats."""

from decimal import Decimal, FloatOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dream_api.core.money import THREE_DECIMAL, ZERO_DECIMAL, digits, to_major, to_minor
from tests.support.cases import each_case

CURRENCIES = st.sampled_from(["usd", "EUR", "isk", "ugx", *sorted(ZERO_DECIMAL), *sorted(THREE_DECIMAL)])
# What a 64-bit column holds.
MINORS = st.integers(-(2**63), 2**63 - 1)


@each_case(
    ("major", "currency", "minor"),
    [
        ("19.99", "usd", 1999),
        ("19.9", "USD", 1990),
        ("19.990", "eur", 1999),
        ("0.01", "gbp", 1),
        ("500", "jpy", 500),
        ("500.00", "jpy", 500),
        ("5.125", "kwd", 5125),
        ("-5", "bhd", -5000),
        (15, "usd", 1500),
        (Decimal("1E+2"), "usd", 10000),
        ("0", "usd", 0),
        ("-0.00", "usd", 0),
    ],
)
def test_an_amount_becomes_minor_units_of_its_currency(major: str | int | Decimal, currency: str, minor: int) -> None:
    assert to_minor(major, currency) == minor


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_what_stripe_charges_in_hundredths_has_two_digits_though_nobody_pays_in_them(currency: str) -> None:
    assert to_minor("5", currency) == 500


@each_case(
    ("minor", "currency", "major"),
    [
        (1999, "usd", "19.99"),
        (5, "usd", "0.05"),
        (0, "usd", "0.00"),
        (-1, "kwd", "-0.001"),
        (500, "jpy", "500"),
        (2**63 - 1, "tnd", "9223372036854775.807"),
    ],
)
def test_minor_units_are_told_with_all_digits_of_the_currency(minor: int, currency: str, major: str) -> None:
    assert to_major(minor, currency) == major


@given(MINORS, CURRENCIES)
def test_what_is_told_in_major_units_is_the_same_amount(minor: int, currency: str) -> None:
    told = to_major(minor, currency)

    assert to_minor(told, currency) == to_minor(Decimal(told), currency) == minor
    assert len(told.partition(".")[2]) == digits(currency)


@given(MINORS, CURRENCIES, st.integers(1, 40), st.integers(1, 9))
def test_a_digit_too_many_is_refused_however_far_behind_the_point(
    minor: int, currency: str, zeros: int, digit: int
) -> None:
    told = to_major(minor, currency)
    point = "" if "." in told else "."

    assert to_minor(told + point + "0" * zeros, currency) == minor
    with pytest.raises(ValueError, match=f"{currency.upper()} has {digits(currency)} digits after the point"):
        to_minor(told + point + "0" * zeros + str(digit), currency)


@each_case(
    "text",
    [
        *("", " ", "1 ", " 1", "1_000", "1,5", "1.000,00", "0x10", "$5", "--1", "1.2.3", "1e", "five", "1\x00"),
        *("NaN", "-nan", "sNaN", "Infinity", "-inf"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no amount|NaN"):
        to_minor(text, "usd")


@each_case("text", ["1e40", "1e999999", "-1e999999999999", "1e-999999999999", "9" * 100_000])
def test_a_number_beyond_all_money_is_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its sentence depends on where it ends)
        to_minor(text, "usd")
    with pytest.raises(ValueError):  # noqa: PT011
        to_minor(Decimal(text), "usd")


@given(st.floats())
def test_a_float_is_never_taken_for_an_amount(amount: float) -> None:
    with pytest.raises(FloatOperation):
        to_minor(amount, "usd")  # type: ignore[arg-type]
