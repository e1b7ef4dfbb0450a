"""What prices ask: whole minor units, for every quantity."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from dream_api.catalog import (
    LARGEST_AMOUNT,
    LARGEST_UNIT_AMOUNT,
    AmountTooLarge,
    BillingScheme,
    PriceTerms,
    Step,
    amount_of,
    describe_price,
    monthly_amount,
    parts_of,
)
from dream_api.core.errors import ValidationFailed
from tests.support.cases import each_case

AMOUNTS = st.integers(0, LARGEST_UNIT_AMOUNT)
QUANTITIES = st.integers(0, 10**7)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    ends = sorted(draw(st.sets(st.integers(1, 10**6), max_size=5)))
    return tuple(Step(end, draw(AMOUNTS), draw(AMOUNTS)) for end in [*ends, None])


def by_steps(scheme: BillingScheme, *of: Step) -> PriceTerms:
    return PriceTerms(currency="usd", type="usage", billing_scheme=scheme, steps=of, meter="calls", interval="month")


def by_unit(amount: int, per: int = 1) -> PriceTerms:
    return PriceTerms(currency="usd", type="one_time", billing_scheme="per_unit", unit_amount=amount, per=per)


FLAT = PriceTerms(currency="usd", type="recurring", billing_scheme="flat_rate", unit_amount=1999, interval="month")
# Ten for 5 each, then 4, after a hundred 1; entering a step costs 100, 50, nothing.
LADDER = (Step(10, 5, 100), Step(100, 4, 50), Step(None, 1))


def test_a_flat_rate_is_one_amount_and_there_is_one_of_it() -> None:
    assert amount_of(FLAT, 1) == 1999
    for quantity in (0, 2):
        with pytest.raises(ValidationFailed) as refused:
            amount_of(FLAT, quantity)
        assert refused.value.param == "quantity"


@each_case(("quantity", "amount"), [(0, 0), (1, 50), (1_000, 50), (1_001, 100), (2_000, 100), (2_001, 150)])
def test_begun_packages_count_whole(quantity: int, amount: int) -> None:
    assert amount_of(by_unit(50, per=1_000), quantity) == amount


@each_case(
    ("quantity", "graduated", "volume"),
    [
        (0, 100, 100),
        (1, 105, 105),
        (10, 150, 150),
        (11, 204, 94),
        (100, 560, 450),
        (101, 561, 101),
        (1_000, 1_460, 1_000),
    ],
)
def test_tiered_asks_each_part_at_its_own_step_and_volume_all_at_the_one_reached(
    quantity: int, graduated: int, volume: int
) -> None:
    assert amount_of(by_steps("tiered", *LADDER), quantity) == graduated
    assert amount_of(by_steps("volume", *LADDER), quantity) == volume


def test_parts_tell_how_the_amount_came_to_be() -> None:
    parts = parts_of(by_steps("tiered", *LADDER), 101)

    assert [(part.quantity, part.unit_amount, part.amount) for part in parts] == [(10, 5, 150), (90, 4, 410), (1, 1, 1)]


@given(steps(), QUANTITIES, QUANTITIES)
@example(LADDER, 10, 11)
def test_graduated_never_falls_as_more_is_bought(of: tuple[Step, ...], one: int, other: int) -> None:
    price = by_steps("tiered", *of)
    less, more = sorted((one, other))

    assert 0 <= amount_of(price, less) <= amount_of(price, more)


@given(steps(), QUANTITIES, QUANTITIES)
def test_volume_never_falls_inside_a_step_nor_where_steps_become_dearer(
    of: tuple[Step, ...], one: int, other: int
) -> None:
    price = by_steps("volume", *of)
    less, more = sorted((one, other))
    reached = [next(step for step in of if step.up_to is None or quantity <= step.up_to) for quantity in (less, more)]
    assume(reached[0] is reached[1] or reached[0].unit_amount <= reached[1].unit_amount)
    assume(reached[0].flat_amount <= reached[1].flat_amount)

    assert 0 <= amount_of(price, less) <= amount_of(price, more)


@given(AMOUNTS, st.integers(1, 10**6), QUANTITIES, QUANTITIES)
def test_per_unit_never_falls_and_the_last_package_is_begun(amount: int, per: int, one: int, other: int) -> None:
    less, more = sorted((one, other))

    assert 0 <= amount_of(by_unit(amount, per), less) <= amount_of(by_unit(amount, per), more)
    assert amount_of(by_unit(amount, per), per * less) == amount * less


@given(steps(), st.sampled_from(["tiered", "volume"]), QUANTITIES)
def test_parts_sum_to_the_amount_and_to_the_quantity(
    of: tuple[Step, ...], scheme: BillingScheme, quantity: int
) -> None:
    parts = parts_of(by_steps(scheme, *of), quantity)

    assert sum(part.amount for part in parts) == amount_of(by_steps(scheme, *of), quantity)
    assert sum(part.quantity for part in parts) == quantity


@given(AMOUNTS, st.integers(0, LARGEST_AMOUNT))
@example(LARGEST_UNIT_AMOUNT, LARGEST_AMOUNT)
@example(1, LARGEST_AMOUNT)
def test_no_amount_comes_to_two_to_the_53(amount: int, quantity: int) -> None:
    if amount * quantity <= LARGEST_AMOUNT:
        assert amount_of(by_unit(amount), quantity) == amount * quantity
        return
    with pytest.raises(AmountTooLarge) as refused:
        amount_of(by_unit(amount), quantity)
    assert refused.value.param == "quantity"


@pytest.mark.parametrize("quantity", [-1, LARGEST_AMOUNT + 1])
def test_a_quantity_is_not_negative_and_below_two_to_the_53(quantity: int) -> None:
    with pytest.raises(ValidationFailed) as refused:
        amount_of(by_unit(1), quantity)
    assert refused.value.param == "quantity"


@each_case(
    ("interval", "count", "amount", "monthly"),
    [
        ("month", 1, 1999, 1999),
        ("year", 1, 12_000, 1_000),
        ("year", 1, 10_000, 833),
        ("year", 2, 24_000, 1_000),
        ("month", 3, 100, 33),
        ("week", 1, 1_000, 4_333),
        ("day", 1, 100, 3_042),
        ("month", 2, 1, 1),
    ],
)
def test_every_interval_has_a_monthly_amount(interval: str, count: int, amount: int, monthly: int) -> None:
    assert monthly_amount(amount, interval, count) == monthly  # pyright: ignore[reportArgumentType]


@each_case(
    ("price", "sentence"),
    [
        (FLAT, "$19.99 per month"),
        (by_unit(500), "$5.00 per unit"),
        (by_unit(500, per=12), "$5.00 per 12 units"),
        (
            PriceTerms(
                currency="jpy",
                type="recurring",
                billing_scheme="per_unit",
                unit_amount=900,
                interval="month",
                interval_count=3,
            ),
            "¥900 per unit every 3 months",
        ),
        (
            PriceTerms(
                currency="usd",
                type="usage",
                billing_scheme="per_unit",
                unit_amount=50,
                per=1_000,
                meter="tokens",
                interval="month",
            ),
            "$0.50 per 1,000 tokens, billed monthly",
        ),
        (by_steps("volume", *LADDER), "volume pricing in USD per calls, billed monthly"),
    ],
)
def test_a_price_is_told_as_people_say_it(price: PriceTerms, sentence: str) -> None:
    assert describe_price(price) == sentence
