"""PATCH /api/customers/{id}."""

from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.instance import Account, Instance


@pytest.fixture
async def ada(instance: Instance, alice: Account) -> dict[str, Any]:
    body = {"userId": "ada", "email": "ada@example.com", "name": "Ada"}
    return (await instance.api.post("/api/customers", headers=alice.sk, json=body)).json()


async def test_what_is_sent_changes_and_the_rest_stays(instance: Instance, alice: Account, ada: dict[str, Any]) -> None:
    changed = await instance.api.patch(f"/api/customers/{ada['id']}", headers=alice.sk, json={"name": "Ada Lovelace"})

    assert changed.status_code == 200
    assert changed.json() == {**ada, "name": "Ada Lovelace", "updatedAt": changed.json()["updatedAt"]}
    assert changed.json()["updatedAt"] > ada["updatedAt"]
    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == changed.json()


async def test_null_takes_away_what_may_be_missing(instance: Instance, alice: Account, ada: dict[str, Any]) -> None:
    empty = {"email": None, "name": None, "plan": None}
    changed = await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json=empty)

    assert changed.json() == {**ada, **empty, "updatedAt": changed.json()["updatedAt"]}


async def test_a_plan_is_in_force_at_the_next_call_and_null_is_the_default_again(
    instance: Instance, alice: Account, ada: dict[str, Any]
) -> None:
    await instance.set_limit(alice, "pro", 5)
    plans: list[str] = []
    for plan in ("pro", None):
        await instance.api.post("/api/data", headers=alice.calls())
        await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"plan": plan})
        plans.append((await instance.api.post("/api/data", headers=alice.calls())).json()["usage"]["plan"])

    assert plans == ["pro", "free"]
    assert (await instance.usage_of(alice))["count"] == 4


async def test_a_blocked_customer_is_refused_at_the_gate_until_active_again(
    instance: Instance, alice: Account, ada: dict[str, Any]
) -> None:
    await instance.api.post("/api/data", headers=alice.calls())
    blocked = await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "blocked"})
    counting = await instance.api.post("/api/data", headers=alice.calls())
    reading = await instance.api.get("/api/usage", headers=alice.calls())
    await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "active"})
    again = await instance.api.post("/api/data", headers=alice.calls())

    assert blocked.json()["status"] == "blocked"
    for refused in (counting, reading):
        assert (refused.status_code, refused.json()["code"]) == (403, "customer_blocked")
    assert again.json()["usage"]["count"] == 2


@each_case(
    ("body", "code", "param"),
    [
        ({"status": "deleted"}, "validation_failed", "status"),
        ({"status": None}, "validation_failed", "status"),
        ({"status": True}, "validation_failed", "status"),
        ({"plan": "gold"}, "unknown_plan", "plan"),
        ({"email": "nobody"}, "validation_failed", "email"),
        ({"name": "a\x00b"}, "validation_failed", "name"),
        ({"name": "n" * 121}, "validation_failed", "name"),
        ({"userId": "eve"}, "validation_failed", "userId"),
        ({"createdAt": "2026-11-21T00:00:00Z"}, "validation_failed", "createdAt"),
        ({"name": "Eve", "email": 5}, "validation_failed", "email"),
    ],
)
async def test_what_is_wrong_is_told_by_its_field_and_nothing_changes(
    instance: Instance, alice: Account, ada: dict[str, Any], body: dict[str, Any], code: str, param: str
) -> None:
    answer = await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json=body)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (422, code, param)
    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == ada


async def test_a_strangers_customer_cannot_be_changed(
    instance: Instance, alice: Account, charlie: Account, ada: dict[str, Any]
) -> None:
    for who in (charlie.sk, alice.live):
        for reference in (ada["id"], "userId:ada"):
            answer = await instance.api.patch(f"/api/customers/{reference}", headers=who, json={"name": "Eve"})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == ada
