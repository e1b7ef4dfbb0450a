"""`GET /get-credentials` and `POST /rotate-key`."""

import pytest
from httpx2 import AsyncClient

from dream_api.accounts import Role
from tests.support.instance import Account, Instance, bearer
from tests.tenancy.team import actions_of


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
async def test_test_keys_are_shown_to_owners_and_admins_and_live_ones_to_nobody(
    instance: Instance, alice: Account, role: Role
) -> None:
    made = await instance.api.post("/rotate-key", headers=alice.by("owner"), json={"mode": "test"})

    answer = await instance.api.get("/get-credentials", headers=alice.by(role))

    [told] = answer.json()["data"]
    sees = role in ("owner", "admin")
    assert told["test"]["publishableKey"] == alice.publishable["test"]
    assert told["test"]["secretKey"] == (made.json()["secretKey"] if sees else None)
    assert told["live"]["secretKey"] is None
    assert told["live"]["secretKeyPrefix"].startswith("sk_live_")
    assert alice.secret["live"] not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert await actions_of(instance, alice) == ["key.rotated", *(["key.revealed"] if sees else [])]


async def test_a_rotated_key_works_at_once_and_the_old_one_for_its_grace(instance: Instance, alice: Account) -> None:
    again = {**alice.at_api("member"), "Idempotency-Key": "k"}
    body = {"mode": "test", "graceSeconds": 0}

    answers = [await instance.api.post("/rotate-key", headers=again, json=body) for _ in range(2)]
    new = await instance.api.get("/api/customers", headers=bearer(answers[0].json()["secretKey"]))
    old = await instance.api.get("/api/customers", headers=alice.sk)

    assert [one.status_code for one in answers] == [200, 200]
    assert answers[1].json()["secretKey"] is None
    assert (new.status_code, old.json()["code"]) == (200, "key_expired")
    assert await actions_of(instance, alice) == ["key.rotated"]


@pytest.mark.parametrize("grace", [-1, 7 * 86_400 + 1])
async def test_a_grace_is_at_most_seven_days(api: AsyncClient, alice: Account, grace: int) -> None:
    body = {"mode": "test", "graceSeconds": grace}

    answer = await api.post("/rotate-key", headers=alice.at_api(), json=body)

    assert (answer.status_code, answer.json()["param"]) == (422, "graceSeconds")


async def test_no_key_of_a_project_rotates_itself(api: AsyncClient, alice: Account) -> None:
    answer = await api.post("/rotate-key", headers=alice.sk, json={"mode": "test"})

    assert (answer.status_code, answer.json()["code"]) == (403, "personal_token_required")
