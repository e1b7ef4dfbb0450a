"""DELETE /api/customers/{id}."""

from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.core import clock
from dream_api.customers.tables import customers
from dream_api.usage.tables import usage_counters
from tests.support.instance import Account, Instance


@pytest.fixture
async def ada(instance: Instance, alice: Account) -> dict[str, Any]:
    body = {"userId": "ada", "email": "ada@example.com", "name": "Ada Lovelace"}
    return (await instance.api.post("/api/customers", headers=alice.sk, json=body)).json()


async def test_the_persons_data_goes_and_the_rest_is_told(
    instance: Instance, alice: Account, ada: dict[str, Any]
) -> None:
    deleted = await instance.api.delete(f"/api/customers/{ada['id']}", headers=alice.sk)
    gone = {"status": "deleted", "email": None, "name": None, "updatedAt": deleted.json()["updatedAt"]}

    assert (deleted.status_code, deleted.json()) == (200, ada | gone)
    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == ada | gone
    async with instance.database.read() as tx:
        rows = await tx.all(select(customers))
    assert "Lovelace" not in repr(rows)
    assert "ada@example.com" not in repr(rows)


async def test_a_deleted_customer_is_refused_at_the_gate_and_keeps_its_counts(
    instance: Instance, alice: Account, ada: dict[str, Any]
) -> None:
    await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 7})
    await instance.api.delete("/api/customers/userId:ada", headers=alice.sk)
    counting = await instance.api.post("/api/data", headers=alice.calls())
    reading = await instance.api.get("/api/usage", headers=alice.calls())

    for refused in (counting, reading):
        assert (refused.status_code, refused.json()["code"]) == (403, "customer_blocked")
    back = await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "active"})
    assert (back.status_code, back.json()["code"]) == (409, "customer_deleted")
    async with instance.database.read() as tx:
        assert await tx.scalar(select(func.max(usage_counters.c.count))) == 7


async def test_deleting_twice_is_deleting_once(instance: Instance, alice: Account, ada: dict[str, Any]) -> None:
    first = await instance.api.delete("/api/customers/userId:ada", headers=alice.sk)
    clock.move(clock.SECOND)
    again = await instance.api.delete("/api/customers/userId:ada", headers=alice.sk)

    assert again.status_code == 200
    assert {**again.json(), "updatedAt": ""} == {**first.json(), "updatedAt": ""}


async def test_a_strangers_customer_cannot_be_deleted(
    instance: Instance, alice: Account, charlie: Account, ada: dict[str, Any]
) -> None:
    for who in (charlie.sk, alice.live):
        for reference in (ada["id"], "userId:ada"):
            answer = await instance.api.delete(f"/api/customers/{reference}", headers=who)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == ada
