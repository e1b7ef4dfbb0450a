"""Parts that sum to the whole: splits, proration and discounts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dream_api.catalog import LARGEST_AMOUNT, Coupon, allocate, discount_of, prorate
from dream_api.core import money
from tests.support.cases import each_case

AMOUNTS = st.integers(-LARGEST_AMOUNT, LARGEST_AMOUNT)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=8)
STEPS = st.sampled_from([1, 10, 100])


def coupon(*, percent: int | None = None, amount: int | None = None) -> Coupon:
    currency = None if amount is None else "usd"
    points = None if percent is None else 100 * percent
    return Coupon(
        "cpn_1", "prj_1", "test", "X", points, amount, currency, "once", None, None, 0, None, None, created_at=0
    )


@given(AMOUNTS, WEIGHTS)
@example(100, [1, 1, 1])
@example(5, [0, 0])
def test_the_parts_of_a_split_sum_to_it_and_none_is_a_unit_off_its_share(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    even = weights if any(weights) else [1] * len(weights)

    assert sum(parts) == amount
    for part, weight in zip(parts, even, strict=True):
        assert abs(part * sum(even) - amount * weight) < sum(even)


def test_the_largest_remainders_round_up_and_of_like_ones_the_first() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [5, 3, 3]) == [4, 3, 3]
    assert allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    with pytest.raises(ValueError, match="no parts"):
        allocate(1, [])


@given(st.integers(0, LARGEST_AMOUNT), st.integers(0, 10**9), st.integers(1, 10**9), STEPS)
@example(1999, 1, 3, 1)
def test_what_is_prorated_lies_between_nothing_and_all_in_whole_steps(
    units: int, elapsed: int, whole: int, step: int
) -> None:
    amount = units // step * step
    part = prorate(amount, elapsed, whole, step=step)

    assert 0 <= part <= amount
    assert part % step == 0
    assert prorate(amount, whole, whole, step=step) == amount
    assert prorate(amount, 0, whole, step=step) == 0
    assert prorate(-amount, elapsed, whole, step=step) == -part


@given(st.integers(0, LARGEST_AMOUNT), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_more_time_is_never_less_money(amount: int, one: int, other: int, whole: int) -> None:
    less, more = sorted((one, other))

    assert prorate(amount, less, whole) <= prorate(amount, more, whole)


@given(st.integers(1, 100), st.lists(st.integers(0, 10**9), min_size=1, max_size=8), STEPS)
@example(33, [100, 100, 100], 10)
def test_a_percentage_is_taken_off_exactly_and_from_no_line_more_than_it_asks(
    percent: int, units: list[int], step: int
) -> None:
    amounts = [unit * step for unit in units]
    off = discount_of(coupon(percent=percent), amounts, step=step)

    assert abs(100 * sum(off) - percent * sum(amounts)) <= 50 * step
    for part, amount in zip(off, amounts, strict=True):
        assert 0 <= part <= amount
        assert part % step == 0


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_an_amount_is_taken_off_whole_where_there_is_as_much(amount: int, amounts: list[int]) -> None:
    off = discount_of(coupon(amount=amount), amounts)

    assert sum(off) == min(amount, sum(amounts))
    assert all(0 <= part <= asked for part, asked in zip(off, amounts, strict=True))


def test_a_credit_gets_no_discount_and_no_line_none() -> None:
    assert discount_of(coupon(percent=50), [1000, -400]) == [500, 0]
    assert discount_of(coupon(percent=100), []) == []


@each_case(("currency", "step"), [("usd", 1), ("JPY", 1), ("kwd", 10), ("bhd", 10), ("isk", 100), ("ugx", 100)])
def test_every_currency_has_its_smallest_step(currency: str, step: int) -> None:
    assert money.step(currency) == step


def test_whatever_has_digits_of_its_own_is_a_currency() -> None:
    assert money.CURRENCIES >= money.ZERO_DECIMAL | money.THREE_DECIMAL
    assert {len(code) for code in money.CURRENCIES} == {3}
