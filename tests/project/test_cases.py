"""A table of cases as one test."""

import pytest

from tests.support.cases import each_case


@each_case("number, square", [(2, 4), (3, 9)])
def test_a_table_runs_with_its_fixtures(request: pytest.FixtureRequest, number: int, square: int) -> None:
    assert request.node.name == "test_a_table_runs_with_its_fixtures"
    assert number * number == square


@each_case("number", [1, 2])
async def test_an_asynchronous_table_runs(number: int) -> None:
    assert number in (1, 2)


def test_every_row_that_fails_is_reported() -> None:
    @each_case(("number", "limit"), [(1, 2), (3, 2), (1, 5), (7, 5)])
    def small(number: int, limit: int) -> None:
        if number == 7:
            with pytest.raises(ZeroDivisionError):
                pass
        assert number < limit

    with pytest.raises(ExceptionGroup, match="2 of 4 cases failed") as failed:
        small()

    assert [one.__notes__ for one in failed.value.exceptions] == [
        ["The case: number=3, limit=2"],
        ["The case: number=7, limit=5"],
    ]


async def test_asynchronous_rows_that_fail_are_reported_too() -> None:
    @each_case("number", [1, 0])
    async def inverted(number: int) -> None:
        assert 1 / number

    with pytest.raises(ExceptionGroup, match="1 of 2 cases failed"):
        await inverted()


def test_a_table_without_rows_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        each_case("number", [])
