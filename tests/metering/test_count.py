"""POST /api/data."""

import asyncio

import pytest

from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def test_the_first_call_of_a_new_customer_is_counted(instance: Instance, alice: Account):
    answer = await instance.api.post("/api/data", headers=alice.calls())

    assert answer.status_code == 200
    told = answer.json()
    assert told["allowed"] is True
    assert told["usage"]["count"] == 1
    assert told["usage"]["limit"] == 1000
    assert told["usage"]["remaining"] == 999
    assert told["usage"]["plan"] == "free"
    assert told["usage"]["window"] == "period"
    assert told["limits"] == [{key: value for key, value in told["usage"].items() if key != "plan"}]
    assert answer.headers["RateLimit"].startswith('"period";r=999;t=')
    assert answer.headers["RateLimit-Policy"].startswith('"period";q=1000;w=')


async def test_a_quantity_is_counted_whole_or_not_at_all(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 10)

    assert (await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 7})).status_code == 200
    refused = await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 4})
    assert (await instance.api.post("/api/data", headers=alice.calls(), json={"quantity": 3})).status_code == 200

    assert refused.status_code == 429
    assert (await instance.usage_of(alice))["count"] == 10


async def test_a_refusal_tells_everything_an_admission_does_and_what_to_do(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 1)
    admitted = await instance.api.post("/api/data", headers=alice.calls())
    refused = await instance.api.post("/api/data", headers=alice.calls())

    assert refused.status_code == 429
    told = refused.json()
    assert (told["error"], told["code"], told["allowed"]) == (
        "Tier limit reached",
        "tier_limit_reached",
        False,
    )
    assert told["usage"] == admitted.json()["usage"]
    assert told["usage"]["periodEnd"] in told["hint"]
    assert int(refused.headers["Retry-After"]) > 0
    assert told["requestId"] == refused.headers["X-Request-Id"]
    assert told["docs"].endswith("/docs/errors/tier_limit_reached")


async def test_the_first_call_makes_the_customer_and_a_refused_one_does_not(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 0)
    assert (await instance.api.post("/api/data", headers=alice.calls("eve"))).status_code == 429
    assert (await instance.api.get("/api/customers/userId:eve", headers=alice.sk)).status_code == 404

    await instance.set_limit(alice, "free", 1)
    assert (await instance.api.post("/api/data", headers=alice.calls("eve"))).status_code == 200
    assert (await instance.api.get("/api/customers/userId:eve", headers=alice.sk)).status_code == 200


async def test_a_refused_call_of_a_known_customer_writes_nothing(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 0)
    made = await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada"})
    assert made.status_code == 201
    before = await _rows(instance)

    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 429

    assert await _rows(instance) == before


async def _rows(instance: Instance) -> dict[str, int]:
    from sqlalchemy import func, select

    from dream_api.schema import metadata

    async with instance.database.read() as tx:
        return {
            table.name: await tx.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
            if table.name not in ("jobs", "schedules")
        }


@pytest.mark.parametrize("callers", [64])
async def test_a_limit_is_exact_under_concurrency(instance: Instance, alice: Account, callers: int):
    await instance.set_limit(alice, "free", 1000)

    async def call() -> list[int]:
        return [(await instance.api.post("/api/data", headers=alice.calls())).status_code for _ in range(20)]

    statuses = [status for some in await asyncio.gather(*(call() for _ in range(callers))) for status in some]

    assert statuses.count(200) == 1000
    assert statuses.count(429) == callers * 20 - 1000
    assert (await instance.usage_of(alice))["count"] == 1000


async def test_plans_go_header_then_customer_then_default(instance: Instance, alice: Account):
    await instance.set_limit(alice, "pro", 50)
    await instance.set_limit(alice, "team", 60)
    await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada", "plan": "pro"})

    own = await instance.api.post("/api/data", headers=alice.calls())
    by_header = await instance.api.post("/api/data", headers=alice.calls(**{"X-User-Plan": "team"}))
    default = await instance.api.post("/api/data", headers=alice.calls("bob"))

    assert [answer.json()["usage"]["plan"] for answer in (own, by_header, default)] == ["pro", "team", "free"]
    assert by_header.json()["usage"]["count"] == 2


async def test_an_unknown_plan_is_refused_with_the_tiers_there_are(instance: Instance, alice: Account):
    await instance.set_limit(alice, "pro", 50)
    answer = await instance.api.post("/api/data", headers=alice.calls(**{"X-User-Plan": "gold"}))

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_plan")
    assert "free, pro" in answer.json()["error"]


async def test_a_blocked_customer_is_refused_and_comes_back(instance: Instance, alice: Account):
    await instance.api.post("/api/data", headers=alice.calls())
    await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "blocked"})
    blocked = await instance.api.post("/api/data", headers=alice.calls())
    await instance.api.patch("/api/customers/userId:ada", headers=alice.sk, json={"status": "active"})
    again = await instance.api.post("/api/data", headers=alice.calls())

    assert (blocked.status_code, blocked.json()["code"]) == (403, "customer_blocked")
    assert again.json()["usage"]["count"] == 2


async def test_test_and_live_count_apart(instance: Instance, alice: Account):
    await instance.api.post("/api/data", headers=alice.calls())
    live = await instance.api.post("/api/data", headers={**alice.live, "X-User-Id": "ada"})

    assert live.json()["usage"]["count"] == 1


async def test_a_new_month_opens_a_new_period(instance: Instance, alice: Account, clock):
    from datetime import UTC, datetime

    await instance.set_limit(alice, "free", 1)
    clock.move(clock.from_datetime(datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)) - clock.now())
    last = await instance.api.post("/api/data", headers=alice.calls())
    clock.move(2 * clock.SECOND)
    first = await instance.api.post("/api/data", headers=alice.calls())

    assert last.json()["usage"]["periodEnd"] == "2027-02-01T00:00:00Z"
    assert (first.json()["usage"]["count"], first.json()["usage"]["periodStart"]) == (
        1,
        "2027-02-01T00:00:00Z",
    )


async def test_a_cancelled_call_does_not_take_its_neighbours_with_it(instance: Instance, alice: Account):
    calls = [asyncio.create_task(instance.api.post("/api/data", headers=alice.calls())) for _ in range(20)]
    await asyncio.sleep(0)
    calls[3].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [answer.status_code for answer in answers if not isinstance(answer, BaseException)] == [200] * 19


async def test_store_keys_do_not_meter(instance: Instance):
    from tests.support.instance import open_account

    store = await open_account(instance.database, "Shop", "store")
    answer = await instance.api.post("/api/data", headers=store.calls())

    assert (answer.status_code, answer.json()["code"]) == (403, "saas_only")
