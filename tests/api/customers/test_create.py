"""POST /api/customers."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from dream_api.core import clock
from dream_api.customers import ensure, queries
from dream_api.customers.tables import customers
from dream_api.platforms import ProjectScope
from tests.support.cases import each_case
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both

ADA = {"userId": "ada", "email": "ada@example.com", "name": "Ada"}


async def _count(instance: Instance) -> int:
    async with instance.database.read() as tx:
        return int(await tx.scalar(select(func.count()).select_from(customers)))


async def test_a_customer_is_made_and_told(instance: Instance, alice: Account) -> None:
    await instance.set_limit(alice, "pro", 5)
    answer = await instance.api.post("/api/customers", headers=alice.sk, json={**ADA, "plan": "pro"})
    made = answer.json()

    assert answer.status_code == 201
    assert made == {**ADA, "plan": "pro", "status": "active", "metadata": {}, **{name: made[name] for name in _MADE}}
    assert made["id"].startswith("cus_")
    assert made["createdAt"] == made["updatedAt"]
    assert (await instance.api.get(f"/api/customers/{made['id']}", headers=alice.sk)).json() == made


_MADE = ("id", "createdAt", "updatedAt")


async def test_a_user_id_is_all_it_takes(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada"})

    assert answer.status_code == 201
    assert [answer.json()[name] for name in ("userId", "email", "name", "plan")] == ["ada", None, None, None]


async def test_a_customer_whom_a_metered_call_made_is_adopted_with_its_counts(
    instance: Instance, alice: Account
) -> None:
    await instance.set_limit(alice, "pro", 5)
    await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 3})
    met = (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json()

    adopted = await instance.api.post("/api/customers", headers=alice.sk, json={**ADA, "plan": "pro"})

    assert adopted.status_code == 201
    assert adopted.json() == {**met, **ADA, "plan": "pro", "updatedAt": adopted.json()["updatedAt"]}
    counted = await instance.api.post("/api/data", headers=alice.calls())
    assert [counted.json()["usage"][name] for name in ("count", "limit", "plan")] == [4, 5, "pro"]


async def test_who_has_a_profile_is_not_made_again(instance: Instance, alice: Account) -> None:
    first = await instance.api.post("/api/customers", headers=alice.sk, json=ADA)
    again = await instance.api.post("/api/customers", headers=alice.sk, json={**ADA, "name": "Eve"})

    assert (again.status_code, again.json()["code"], again.json()["param"]) == (409, "customer_exists", "userId")
    assert (await instance.api.get("/api/customers/userId:ada", headers=alice.sk)).json() == first.json()


async def test_a_deleted_customer_is_not_made_again(instance: Instance, alice: Account) -> None:
    await instance.api.post("/api/customers", headers=alice.sk, json=ADA)
    await instance.api.delete("/api/customers/userId:ada", headers=alice.sk)
    again = await instance.api.post("/api/customers", headers=alice.sk, json=ADA)

    assert (again.status_code, again.json()["code"]) == (409, "customer_exists")


async def test_one_user_id_is_another_customer_in_each_project_and_mode(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    made = [
        await instance.api.post("/api/customers", headers=who, json=ADA) for who in (alice.sk, alice.live, charlie.sk)
    ]

    assert [answer.status_code for answer in made] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in made}) == 3


async def test_of_all_who_make_a_customer_at_the_same_time_one_does(instance: Instance, alice: Account) -> None:
    answers = await asyncio.gather(
        *(instance.api.post("/api/customers", headers=alice.sk, json=ADA) for _ in range(8)),
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_customer_who_is_made_and_metered_at_the_same_time_is_one(instance: Instance, alice: Account) -> None:
    before = await _count(instance)
    answers = await asyncio.gather(
        *(
            asyncio.gather(
                instance.api.post("/api/customers", headers=alice.sk, json={"userId": f"user-{number}", "name": "U"}),
                instance.api.post("/api/data", headers=alice.calls(f"user-{number}")),
                instance.api.post("/api/customers", headers=alice.sk, json={"userId": f"user-{number}", "name": "U"}),
            )
            for number in range(8)
        )
    )

    for first, counted, second in answers:
        assert sorted([first.status_code, second.status_code]) == [201, 409]
        assert counted.status_code == 200
    assert await _count(instance) == before + 8


BODIES: list[tuple[bytes, int, str, str | None]] = [
    (b"", 422, "validation_failed", "userId"),
    (b"{}", 422, "validation_failed", "userId"),
    (b'{"userId": ""}', 422, "validation_failed", "userId"),
    (b'{"userId": 5}', 422, "validation_failed", "userId"),
    (b'{"userId": null}', 422, "validation_failed", "userId"),
    (b'{"userId": "a\\u0000b"}', 422, "validation_failed", "userId"),
    (b'{"userId": "a\\nb"}', 422, "validation_failed", "userId"),
    (b'{"userId": "' + b"u" * 256 + b'"}', 422, "validation_failed", "userId"),
    (b'{"userId": "' + "ü".encode() * 128 + b'"}', 422, "validation_failed", "userId"),
    (b'{"userId": "\\ud800"}', 400, "malformed_json", None),
    (b'{"userId": "a", "email": "nobody"}', 422, "validation_failed", "email"),
    (b'{"userId": "a", "email": "a@b@c"}', 422, "validation_failed", "email"),
    (b'{"userId": "a", "email": "a\\u0000@b"}', 422, "validation_failed", "email"),
    (b'{"userId": "a", "email": "a @b"}', 422, "validation_failed", "email"),
    (b'{"userId": "a", "email": "' + b"e" * 253 + b'@b"}', 422, "validation_failed", "email"),
    (b'{"userId": "a", "name": 7}', 422, "validation_failed", "name"),
    (b'{"userId": "a", "name": "a\\u0000b"}', 422, "validation_failed", "name"),
    (b'{"userId": "a", "name": "' + b"n" * 121 + b'"}', 422, "validation_failed", "name"),
    (b'{"userId": "a", "name": "\\udfff"}', 400, "malformed_json", None),
    (b'{"userId": "a", "plan": "gold"}', 422, "unknown_plan", "plan"),
    (b'{"userId": "a", "plan": "a\\u0000b"}', 422, "unknown_plan", "plan"),
    (b'{"userId": "a", "plan": ""}', 422, "unknown_plan", "plan"),
    (b'{"userId": "a", "plan": true}', 422, "validation_failed", "plan"),
    (b'{"userId": "a", "status": "blocked"}', 422, "validation_failed", "status"),
    (b'{"userId": "a", "id": "cus_1"}', 422, "validation_failed", "id"),
    (b'{"user_id": "a"}', 422, "validation_failed", "userId"),
    (b'["a"]', 400, "malformed_request", None),
    (b'{"userId": "a"', 400, "malformed_json", None),
]


@each_case("body", BODIES)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_what_is_wrong_is_told_by_its_field_and_nobody_is_made(
    instance: Instance, alice: Account, body: tuple[bytes, int, str, str | None]
) -> None:
    content, status, code, param = body
    before = await _count(instance)
    headers = {**alice.sk, "Content-Type": "application/json"}
    answer = await instance.api.post("/api/customers", headers=headers, content=content)

    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (status, code, param)
    assert await _count(instance) == before


@pytest.mark.parametrize(("who", "status"), [({}, 401), ("pk", 403), ({"Authorization": "Bearer sk_test_x"}, 401)])
async def test_only_a_server_makes_customers(instance: Instance, alice: Account, who: Any, status: int) -> None:
    headers = {"Authorization": f"Bearer {alice.publishable['test']}"} if who == "pk" else who
    before = await _count(instance)

    assert (await instance.api.post("/api/customers", headers=headers, json=ADA)).status_code == status
    assert await _count(instance) == before


async def test_who_looked_before_a_customer_was_made_finds_them_in_the_end(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = (await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada", "name": "Ada"})).json()
    project = alice.project
    scope = ProjectScope(project.platform_no, project.id, "test")
    look, looks = queries.by_user_id, iter((True,))

    async def look_early(*of: Any) -> Any:
        return None if next(looks, False) else await look(*of)

    monkeypatch.setattr(queries, "by_user_id", look_early)
    async with instance.database.write() as tx:
        met = await ensure(tx, scope, "ada", now=clock.now())

    assert (met.id, met.name) == (made["id"], "Ada")
