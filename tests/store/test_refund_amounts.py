"""The money of units: whatever goes back in whatever order, all of it is what was paid."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from dream_api.store.refund_amounts import ReturnedUnits, paid_amounts, refundable_units

STEPS = st.sampled_from([1, 10, 100])


@dataclass(frozen=True)
class Line:
    line: int
    quantity: int
    amount: int


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=50), st.data(), STEPS)
def test_what_was_paid_for_the_lines_is_the_total(amounts: list[int], data: st.DataObject, step: int):
    lines = [Line(no, 1, amount * step) for no, amount in enumerate(amounts, 1)]
    discount = data.draw(st.integers(0, sum(amounts))) * step

    paid = paid_amounts(lines, discount, step)  # pyright: ignore[reportArgumentType]

    assert sum(paid.values()) == sum(line.amount for line in lines) - discount
    for line in lines:
        assert 0 <= paid[line.line] <= line.amount
        assert paid[line.line] % step == 0


@given(st.integers(1, 1_000), st.integers(0, 10**8), STEPS, st.data())
def test_all_units_of_a_line_are_all_that_was_paid_for_it(quantity: int, steps: int, step: int, data: st.DataObject):
    """Also where some of them did not arrive in between, and go back again."""
    line, paid = Line(1, quantity, steps * step), steps * step
    standing: list[ReturnedUnits] = []
    while (left := quantity - sum(each.quantity for each in standing)) > 0:
        if standing and data.draw(st.booleans(), "one did not arrive") and data.draw(st.integers(0, 3)) == 0:
            standing.pop(data.draw(st.integers(0, len(standing) - 1)))
            continue
        gone = sum(standing, ReturnedUnits())
        units = refundable_units(line, data.draw(st.integers(max(1, left // 3), left)), paid, gone, step)  # pyright: ignore[reportArgumentType]
        assert units.amount >= 0
        assert units.amount % step == 0
        standing.append(units)

    assert sum(standing, ReturnedUnits()) == ReturnedUnits(quantity, paid)
