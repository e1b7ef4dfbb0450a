"""Keyed calls count once, for ever."""

import asyncio

import pytest

from dream_api.metering import build_call
from tests.support.instance import Account, Instance

pytestmark = pytest.mark.both


async def test_a_repeated_key_counts_once_and_is_answered_alike(instance: Instance, alice: Account):
    keyed = alice.calls(**{"Idempotency-Key": "k1"})
    first = await instance.api.post("/api/data", headers=keyed, json={"quantity": 5})
    await instance.api.post("/api/data", headers=alice.calls())
    again = await instance.api.post("/api/data", headers=keyed, json={"quantity": 5})

    assert again.json() == first.json()
    assert (await instance.usage_of(alice))["count"] == 6


async def test_the_header_and_the_field_are_the_same_key(instance: Instance, alice: Account):
    await instance.api.post("/api/data", headers=alice.calls(**{"Idempotency-Key": "k1"}))
    await instance.api.post("/api/data", headers=alice.calls(), json={"idempotencyKey": "k1"})
    differing = await instance.api.post(
        "/api/data", headers=alice.calls(**{"Idempotency-Key": "k1"}), json={"idempotencyKey": "k2"}
    )

    assert (await instance.usage_of(alice))["count"] == 1
    assert (differing.status_code, differing.json()["param"]) == (422, "idempotencyKey")


async def test_a_key_used_for_something_else_is_a_mismatch(instance: Instance, alice: Account):
    keyed = {"Idempotency-Key": "k1"}
    await instance.api.post("/api/data", headers=alice.calls(**keyed))
    other_user = await instance.api.post("/api/data", headers=alice.calls("bob", **keyed))
    other_quantity = await instance.api.post("/api/data", headers=alice.calls(**keyed), json={"quantity": 2})

    assert {other_user.json()["code"], other_quantity.json()["code"]} == {"idempotency_mismatch"}
    assert (await instance.usage_of(alice))["count"] == 1
    assert (await instance.api.get("/api/customers/userId:bob", headers=alice.sk)).status_code == 404


async def test_a_refusal_is_not_remembered(instance: Instance, alice: Account):
    keyed = alice.calls(**{"Idempotency-Key": "k1"})
    await instance.set_limit(alice, "free", 0)
    refused = await instance.api.post("/api/data", headers=keyed)
    await instance.set_limit(alice, "free", 1)
    admitted = await instance.api.post("/api/data", headers=keyed)

    assert (refused.status_code, admitted.status_code) == (429, 200)


async def test_twins_at_the_same_time_count_once(instance: Instance, alice: Account):
    keyed = alice.calls(**{"Idempotency-Key": "k1"})
    answers = await asyncio.gather(*(instance.api.post("/api/data", headers=keyed) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert (await instance.usage_of(alice))["count"] == 1


async def test_a_replay_is_answered_though_the_limit_is_reached(instance: Instance, alice: Account):
    await instance.set_limit(alice, "free", 1)
    keyed = alice.calls(**{"Idempotency-Key": "k1"})
    await instance.api.post("/api/data", headers=keyed)

    assert (await instance.api.post("/api/data", headers=keyed)).status_code == 200
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 429


async def test_keys_of_projects_and_modes_are_apart(instance: Instance, alice: Account, charlie: Account):
    keyed = {"Idempotency-Key": "k1", "X-User-Id": "ada"}
    for headers in (alice.sk, alice.live, charlie.sk):
        answer = await instance.api.post("/api/data", headers={**headers, **keyed})
        assert answer.json()["usage"]["count"] == 1


async def test_twins_in_one_batch_are_answered_alike_whatever_plan_they_name(instance: Instance, alice: Account):
    await instance.set_limit(alice, "pro", None)
    key = await instance.authenticator.authenticate_secret_key(alice.sk["Authorization"])
    terms = await instance.metering.get_terms(key)
    twins = [
        build_call(key, terms, user_id="ada", plan=plan, idempotency_key="k1") for plan in ("free", "pro", None, "pro")
    ]

    outcomes = await asyncio.gather(*(instance.metering.count(twin) for twin in twins))

    assert {outcome.opened.plan for outcome in outcomes} == {"free"}
    assert {outcome.standings[0].count for outcome in outcomes} == {1}
