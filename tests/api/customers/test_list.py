"""GET /api/customers and GET /api/customers/{id}."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.support.cases import each_case
from tests.support.instance import Account, Instance

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


async def make(instance: Instance, who: Account, *user_ids: str) -> list[str]:
    """The ids of the customers, oldest first."""
    made = [await instance.api.post("/api/customers", headers=who.sk, json={"userId": user}) for user in user_ids]
    assert {answer.status_code for answer in made} <= {201}
    return [answer.json()["id"] for answer in made]


async def pages(instance: Instance, who: Account, limit: int) -> list[list[str]]:
    """The ids on every page, to the end."""
    found: list[list[str]] = []
    after: dict[str, str] = {}
    while True:
        answer = await instance.api.get("/api/customers", headers=who.sk, params={"limit": str(limit), **after})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found.append([customer["id"] for customer in told["data"]])
        if told["nextCursor"] is None:
            return found
        after = {"after": told["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_pages_hold_everybody_once_the_newest_first(instance: Instance, alice: Account, limit: int) -> None:
    ids = await make(instance, alice, *(f"user-{number}" for number in range(7)))
    found = await pages(instance, alice, limit)

    assert [one for page in found for one in page] == ids[::-1]
    assert [len(page) for page in found] == [limit] * (7 // limit) + ([7 % limit] if 7 % limit else [])


async def test_whoever_comes_while_one_reads_is_neither_missed_nor_told_twice(
    instance: Instance, alice: Account
) -> None:
    ids = await make(instance, alice, "a", "b", "c", "d")
    first = (await instance.api.get("/api/customers?limit=2", headers=alice.sk)).json()
    await make(instance, alice, "e")
    await instance.api.delete(f"/api/customers/{first['nextCursor']}", headers=alice.sk)
    second = await instance.api.get(f"/api/customers?limit=2&after={first['nextCursor']}", headers=alice.sk)

    assert [one["id"] for one in first["data"] + second.json()["data"]] == ids[::-1]
    assert second.json()["nextCursor"] is None


async def test_those_whom_metered_calls_made_are_listed_too(instance: Instance, alice: Account) -> None:
    await instance.api.post("/api/data", headers=alice.calls("eve"))
    told = (await instance.api.get("/api/customers", headers=alice.sk)).json()

    assert [one["userId"] for one in told["data"]] == ["eve"]


async def test_a_list_without_customers_is_empty(instance: Instance, alice: Account, charlie: Account) -> None:
    await make(instance, charlie, "eve")

    for headers in (alice.sk, alice.live):
        assert (await instance.api.get("/api/customers", headers=headers)).json() == {"data": [], "nextCursor": None}


@each_case(
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
async def test_a_page_that_cannot_be_is_refused(instance: Instance, alice: Account, query: str, param: str) -> None:
    answer = await instance.api.get(f"/api/customers?{query}", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", param)


async def test_customers_are_found_by_their_user_ids_however_odd(instance: Instance, alice: Account) -> None:
    ids = dict(zip(ODD, await make(instance, alice, *ODD), strict=True))

    for user_id, customer_id in ids.items():
        path = f"/api/customers/userId:{quote(user_id, safe='')}"
        found = await instance.api.get(path, headers=alice.sk)
        changed = await instance.api.patch(path, headers=alice.sk, json={"name": "Odd"})
        deleted = await instance.api.delete(path, headers=alice.sk)
        for answer in (found, changed, deleted):
            told: dict[str, Any] = answer.json()
            assert (answer.status_code, told.get("id"), told.get("userId")) == (200, customer_id, user_id)


@pytest.mark.parametrize(
    "reference",
    ["userId:eve", "userId:", "userId:%ED%A0%80", "ada", "cus_", "cus_00000000000000000000000000", "userid:ada", "%FF"],
)
async def test_nobody_is_found_by_a_reference_that_is_none(instance: Instance, alice: Account, reference: str) -> None:
    await make(instance, alice, "ada")
    answer = await instance.api.get(f"/api/customers/{reference}", headers=alice.sk)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@each_case("reference", ["%00", "userId:a%00", "userId:" + "a" * 300])
async def test_a_reference_that_nobody_can_have_is_refused(instance: Instance, alice: Account, reference: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = await instance.api.request(method, f"/api/customers/{reference}", headers=alice.sk)

        assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, "validation_failed", "id")


async def test_a_strangers_customer_is_as_good_as_none(instance: Instance, alice: Account, charlie: Account) -> None:
    [hers] = await make(instance, alice, "ada")

    for who in (charlie.sk, alice.live):
        for reference in (hers, "userId:ada"):
            assert (await instance.api.get(f"/api/customers/{reference}", headers=who)).status_code == 404
