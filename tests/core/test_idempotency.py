"""`Idempotency-Key` on POST /api/customers: the first committed response is replayed for a day."""

import asyncio
import json
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import func, select

from dream_api import keys
from dream_api.core import clock
from dream_api.core.db import Database, Tx
from dream_api.core.idempotency import IdempotentRequest, run_once
from dream_api.core.idempotency.tables import idempotency_keys
from dream_api.customers.tables import customers
from tests.support.cases import each_case
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer

pytestmark = pytest.mark.both

ADA = {"userId": "ada", "email": "ada@example.com", "name": "Ada"}


def keyed(account: Account, key: str = "k1") -> dict[str, str]:
    return {**account.sk, "Idempotency-Key": key}


async def create(instance: Instance, headers: dict[str, str], body: dict[str, Any] = ADA) -> httpx.Response:
    return await instance.api.post("/api/customers", headers=headers, json=body)


async def count(database: Database, table: Any = customers) -> int:
    async with database.read() as tx:
        query = select(func.count()).select_from(table)
        if table is customers:  # the platforms themselves are customers of the operator's
            query = query.where(customers.c.user_id.not_like("plt%"))
        return int(await tx.scalar(query))


async def test_a_repeated_key_is_answered_as_the_first_time(instance: Instance, alice: Account) -> None:
    first = await create(instance, keyed(alice))
    await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"name": "Ada Lovelace"})
    again = await create(instance, keyed(alice))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert await count(instance.database) == 1


async def test_a_key_with_another_body_is_a_mismatch(instance: Instance, alice: Account) -> None:
    await create(instance, keyed(alice))
    other = await create(instance, keyed(alice), {"userId": "bob"})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert other.json()["param"] == "Idempotency-Key"
    assert (await instance.api.get("/api/customers/userId:bob", headers=alice.sk)).status_code == 404


async def test_a_key_means_something_else_to_another_project_and_mode(
    instance: Instance, alice: Account, charlie: Account
) -> None:
    for headers in (alice.sk, alice.live, charlie.sk):
        answer = await create(instance, {**headers, "Idempotency-Key": "k1"})
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers

    assert await count(instance.database) == 3


async def test_a_key_of_a_metered_call_is_apart_from_that_of_another_path(instance: Instance, alice: Account) -> None:
    counted = await instance.api.post("/api/data", headers={**keyed(alice), "X-User-Id": "ada"})
    made = await create(instance, keyed(alice))

    assert (counted.status_code, made.status_code) == (200, 201)
    assert "Idempotent-Replayed" not in made.headers


async def test_a_key_outlives_the_rotation_of_the_secret_key(instance: Instance, alice: Account) -> None:
    first = await create(instance, keyed(alice))
    async with instance.database.write() as tx:
        fresh = await keys.rotate(tx, alice.project, "test", instance_key=INSTANCE_KEY, created_by="test")
    again = await create(instance, {**bearer(fresh.token), "Idempotency-Key": "k1"})

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content


async def test_twins_at_the_same_time_make_one_customer_and_are_answered_alike(
    instance: Instance, alice: Account
) -> None:
    answers = await asyncio.gather(*(create(instance, keyed(alice)) for _ in range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 9
    assert await count(instance.database) == 1


async def test_requests_without_a_key_are_never_replayed(instance: Instance, alice: Account) -> None:
    first, second = [await create(instance, alice.sk) for _ in range(2)]

    assert (first.status_code, second.status_code) == (201, 409)
    assert await count(instance.database, idempotency_keys) == 0


async def test_after_a_day_a_key_is_fresh(instance: Instance, alice: Account) -> None:
    await create(instance, keyed(alice))
    clock.move(clock.DAY - clock.MINUTE)
    assert (await create(instance, keyed(alice))).headers["Idempotent-Replayed"] == "true"

    clock.move(2 * clock.MINUTE)
    bob = await create(instance, keyed(alice), {"userId": "bob"})
    again = await create(instance, keyed(alice), {"userId": "bob"})

    assert (bob.status_code, bob.json()["userId"]) == (201, "bob")
    assert again.content == bob.content
    assert await count(instance.database, idempotency_keys) == 1


async def test_refusals_are_not_remembered(instance: Instance, alice: Account) -> None:
    await create(instance, alice.sk)
    taken = await create(instance, keyed(alice))
    unknown = await create(instance, keyed(alice), {"userId": "bob", "plan": "pro"})
    await instance.set_limit(alice, "pro", 5)
    made = await create(instance, keyed(alice), {"userId": "bob", "plan": "pro"})

    assert [answer.status_code for answer in (taken, unknown, made)] == [409, 422, 201]
    assert "Idempotent-Replayed" not in made.headers


@each_case("key", [b"", b"k" * 256, b"schl\xc3\xbcssel", b"a\tb", b"\xff"])
async def test_what_is_no_key_is_refused_and_nothing_is_made(instance: Instance, alice: Account, key: bytes) -> None:
    headers = {name.encode(): value.encode() for name, value in alice.sk.items()}
    answer = await instance.api.post("/api/customers", headers={**headers, b"Idempotency-Key": key}, json=ADA)

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert answer.json()["param"] == "Idempotency-Key"
    assert await count(instance.database) == 0


async def test_the_longest_key_is_remembered(instance: Instance, alice: Account) -> None:
    first, again = [await create(instance, keyed(alice, "~" * 255)) for _ in range(2)]

    assert first.status_code == 201
    assert again.headers["Idempotent-Replayed"] == "true"


# What an effect that fails leaves behind.


def once(body: bytes = b"{}", scope: str = "server POST /things") -> IdempotentRequest:
    return IdempotentRequest(1, scope, "k1", body)


async def answered(tx: Tx) -> str:
    return json.dumps({"made": True})


async def test_a_crash_in_the_middle_leaves_no_key(database: Database) -> None:
    async def crash(tx: Tx) -> str:
        raise RuntimeError("crashed")

    with pytest.raises(RuntimeError, match="crashed"):
        await run_once(database, once(), 201, crash)
    assert await count(database, idempotency_keys) == 0

    done = await run_once(database, once(), 201, answered)
    assert (done.status, done.is_replay) == (201, False)


async def test_a_broken_off_request_leaves_no_key(database: Database) -> None:
    begun = asyncio.Event()

    async def hang(tx: Tx) -> str:
        begun.set()
        await asyncio.Event().wait()
        return ""

    running = asyncio.create_task(run_once(database, once(), 201, hang))
    await begun.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert running.cancelled()
    assert not (await run_once(database, once(), 201, answered)).is_replay


async def test_a_twin_waits_for_the_first_and_goes_on_where_that_fails(database: Database) -> None:
    begun, may_fail = asyncio.Event(), asyncio.Event()

    async def fail_later(tx: Tx) -> str:
        begun.set()
        await may_fail.wait()
        raise RuntimeError("crashed")

    first = asyncio.create_task(run_once(database, once(), 201, fail_later))
    await begun.wait()
    twin = asyncio.create_task(run_once(database, once(), 201, answered))
    await asyncio.sleep(0.1)
    assert not twin.done()
    may_fail.set()

    assert (await twin).is_replay is False
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], RuntimeError)


async def test_another_path_and_caller_are_other_requests(database: Database) -> None:
    scopes = ["server POST /things", "server POST /others", "user POST /things", "server PUT /things"]
    done = [await run_once(database, once(scope=scope), 201, answered) for scope in scopes]

    assert [one.is_replay for one in done] == [False] * len(scopes)
