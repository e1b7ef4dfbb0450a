"""GET /api/customers and GET /api/customers/{id}."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.instance import Account, House

ODD = [
    "a/b",
    "a//b/",
    "/",
    "a b",
    " a ",
    "ü🙂",
    "100%",
    "%2F",
    "a?b#c",
    "..",
    "a;b",
    "userId:x",
    "cus_1",
    "a+b",
    "'\"\\",
]


async def make(house: House, who: Account, *user_ids: str) -> list[str]:
    """The ids of the customers, oldest first."""
    made = [await house.api.post("/api/customers", headers=who.sk, json={"userId": user}) for user in user_ids]
    assert {answer.status_code for answer in made} <= {201}
    return [answer.json()["id"] for answer in made]


async def pages(house: House, who: Account, limit: int) -> list[list[str]]:
    """The ids on every page, to the end."""
    found: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        answer = await house.api.get("/api/customers", headers=who.sk, params={"limit": str(limit), **after})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found.append([customer["id"] for customer in told["data"]])
        if told["nextCursor"] is None:
            return found
        after = {"after": told["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_pages_hold_everybody_once_the_newest_first(house: House, alice: Account, limit: int) -> None:
    ids = await make(house, alice, *(f"user-{number}" for number in range(7)))
    found = await pages(house, alice, limit)

    assert [one for page in found for one in page] == ids[::-1]
    assert [len(page) for page in found] == [limit] * (7 // limit) + ([7 % limit] if 7 % limit else [])


async def test_whoever_comes_while_one_reads_is_neither_missed_nor_told_twice(house: House, alice: Account) -> None:
    ids = await make(house, alice, "a", "b", "c", "d")
    first = (await house.api.get("/api/customers?limit=2", headers=alice.sk)).json()
    await make(house, alice, "e")
    await house.api.delete(f"/api/customers/{first['nextCursor']}", headers=alice.sk)
    second = await house.api.get(f"/api/customers?limit=2&after={first['nextCursor']}", headers=alice.sk)

    assert [one["id"] for one in first["data"] + second.json()["data"]] == ids[::-1]
    assert second.json()["nextCursor"] is None


async def test_those_whom_metered_calls_made_are_listed_too(house: House, alice: Account) -> None:
    await house.api.post("/api/data", headers=alice.calls("eve"))
    told = (await house.api.get("/api/customers", headers=alice.sk)).json()

    assert [one["userId"] for one in told["data"]] == ["eve"]


async def test_a_list_without_customers_is_empty(house: House, alice: Account, charlie: Account) -> None:
    await make(house, charlie, "eve")

    for headers in (alice.sk, alice.live):
        assert (await house.api.get("/api/customers", headers=headers)).json() == {"data": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=1.5", "limit"),
        ("after=", "after"),
        ("after=%00", "after"),
        ("after=%ED%A0%80", "after"),
        ("after=nonsense", "after"),
        ("after=key_01k9q3v8zd0g2m4n6p8r0t2v4w", "after"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(house: House, alice: Account, query: str, param: str) -> None:
    answer = await house.api.get(f"/api/customers?{query}", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", param)


async def test_customers_are_found_by_their_user_ids_however_odd(house: House, alice: Account) -> None:
    ids = dict(zip(ODD, await make(house, alice, *ODD), strict=True))

    for user_id, customer_id in ids.items():
        path = f"/api/customers/userId:{quote(user_id, safe='')}"
        found = await house.api.get(path, headers=alice.sk)
        changed = await house.api.patch(path, headers=alice.sk, json={"name": "Odd"})
        deleted = await house.api.delete(path, headers=alice.sk)
        for answer in (found, changed, deleted):
            told: dict[str, Any] = answer.json()
            assert (answer.status_code, told.get("id"), told.get("userId")) == (200, customer_id, user_id)


@pytest.mark.parametrize(
    "reference",
    ["userId:eve", "userId:", "userId:%ED%A0%80", "ada", "cus_", "cus_00000000000000000000000000", "userid:ada", "%FF"],
)
async def test_nobody_is_found_by_a_reference_that_is_none(house: House, alice: Account, reference: str) -> None:
    await make(house, alice, "ada")
    answer = await house.api.get(f"/api/customers/{reference}", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("reference", ["%00", "userId:a%00", "userId:" + "a" * 300])
async def test_a_reference_that_nobody_can_have_is_refused(house: House, alice: Account, reference: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = await house.api.request(method, f"/api/customers/{reference}", headers=alice.sk)

        assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", "id")


async def test_a_strangers_customer_is_as_good_as_none(house: House, alice: Account, charlie: Account) -> None:
    [hers] = await make(house, alice, "ada")

    for who in (charlie.sk, alice.live):
        for reference in (hers, "userId:ada"):
            assert (await house.api.get(f"/api/customers/{reference}", headers=who)).status_code == 404
