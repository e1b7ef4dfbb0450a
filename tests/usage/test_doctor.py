"""`doctor`: clean after real calls, and each thing that it proves is broken by hand and found."""

import contextlib

import pytest
from sqlalchemy import text

from dream_api.app import every_check
from dream_api.core.proofs import prove
from tests.support.house import Account, House

_ADA = "customer_no = (SELECT no FROM customers WHERE user_id = 'ada')"
_HELD = "UPDATE usage_counters SET held = {held} WHERE {where}"

# By the name of the check: what somebody might do to the tables, and the SQL that does it.
BREAKS = {
    "life_is_sum_of_hours": {
        "a count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 0 AND {_ADA}',
        "a count was added": f'UPDATE usage_counters SET count = count + 1 WHERE "window" = 0 AND {_ADA}',
        "a counter was lost": f'DELETE FROM usage_counters WHERE "window" = 0 AND {_ADA}',
        "an hour was lost": f"DELETE FROM usage_hours WHERE {_ADA}",
        "an hour was added": "INSERT INTO usage_hours SELECT platform_no, customer_no, meter_no, 3600000000, "
        f"period_starts_at, 1, 1 FROM usage_hours WHERE {_ADA}",
        "an hour went to somebody else": "UPDATE usage_hours SET customer_no = customer_no + 1000 WHERE " + _ADA,
    },
    "period_is_sum_of_hours": {
        "a count was lost": f'UPDATE usage_counters SET count = count - 1 WHERE "window" = 4 AND {_ADA}',
        "a count was added": f'UPDATE usage_counters SET count = count + 1 WHERE "window" = 4 AND {_ADA}',
        "a counter was lost": f'DELETE FROM usage_counters WHERE "window" = 4 AND {_ADA}',
        "an hour went to another period": f"UPDATE usage_hours SET period_starts_at = 1 WHERE {_ADA}",
        "a period was moved": f'UPDATE usage_counters SET starts_at = 1 WHERE "window" = 4 AND {_ADA}',
    },
    "counts_are_not_negative": {
        "a count is negative": f'UPDATE usage_counters SET count = -1 WHERE "window" = 0 AND {_ADA}',
        "less than nothing is held": _HELD.format(held=-1, where=f'"window" = 0 AND {_ADA}'),
        "a period holds": _HELD.format(held=1, where=f'"window" = 4 AND {_ADA}'),
    },
    "hours_have_calls": {"an hour without a call": f"UPDATE usage_hours SET calls = 0 WHERE {_ADA}"},
    "counters_have_meters": {
        "the meter was removed": "DELETE FROM meters WHERE platform_no = "
        f"(SELECT platform_no FROM usage_hours WHERE {_ADA})",
        "the meter is unknown": f"UPDATE usage_counters SET meter_no = 99 WHERE {_ADA}",
    },
    "customers_are_numbered": {
        "the series was set back": "UPDATE numbers SET last = 0 WHERE series LIKE 'customers:%'",
        "the series was lost": "DELETE FROM numbers WHERE series LIKE 'customers:%'",
        "a number was made up": "UPDATE customers SET no = 1000 WHERE user_id = 'ada'",
    },
}


class Undone(Exception):
    """Rolls a transaction back."""


def test_each_check_has_its_breaks():
    assert BREAKS.keys() == {check.name for check in every_check()}


async def test_the_doctor_finds_nothing_after_real_calls(house: House, alice: Account, charlie: Account):
    await _count(house, alice, charlie)

    assert await contradicted(house) == set()


@pytest.mark.parametrize("name", BREAKS)
async def test_what_is_broken_by_hand_is_found(house: House, alice: Account, charlie: Account, name: str):
    await _count(house, alice, charlie)
    check = next(check for check in every_check() if check.name == name)
    missed: list[str] = []

    for what, sql in BREAKS[name].items():
        with contextlib.suppress(Undone):
            async with house.database.write() as tx:
                assert await tx.execute(text(sql)) > 0, what
                if not await tx.all(check.contradictions):
                    missed.append(what)
                raise Undone

    assert missed == []
    assert await contradicted(house) == set()


async def _count(house: House, alice: Account, charlie: Account) -> None:
    """Calls of all kinds: of several people, in both modes, with a key, of a larger quantity, and refused ones."""
    await house.set_limit(alice, "small", 5)
    headers = [
        alice.calls("bob"),
        alice.calls("ada"),
        alice.calls("ada", **{"Idempotency-Key": "k1"}),
        alice.calls("ada", **{"Idempotency-Key": "k1"}),
        {**alice.live, "X-User-Id": "bob"},
        charlie.calls("eve"),
    ]
    for one in headers:
        assert (await house.api.post("/api/data", headers=one)).status_code == 200
    small = alice.calls("ada", **{"X-User-Plan": "small"})
    more = [await house.api.post("/api/data", headers=small, json={"quantity": 3}) for _ in range(2)]
    assert [answer.status_code for answer in more] == [200, 429]


async def contradicted(house: House) -> set[str]:
    """The names of the checks that do not hold."""
    findings = [await prove(house.database, check) for check in every_check()]
    return {finding.check.name for finding in findings if not finding.holds}
