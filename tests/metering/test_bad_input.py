"""What is wrong with a request is told by its field, and nothing is written."""

import json
from typing import Any

from sqlalchemy import func, select

from dream_api import keys
from dream_api.core import clock
from dream_api.schema import metadata
from tests.support.cases import each_case
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer

WATCHED = [name for name in metadata.tables if name not in ("jobs", "schedules", "changes")]


async def rows(instance: Instance) -> dict[str, int]:
    async with instance.database.read() as tx:
        return {name: await tx.scalar(select(func.count()).select_from(metadata.tables[name])) for name in WATCHED}


def refused(answer: Any, status: int, code: str, param: str | None = None) -> None:
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), answer.text
    assert told["param"] == param, answer.text
    assert told["error"]
    assert told["hint"]


BODIES = [
    (b'{"quantity": 0}', 422, "quantity_out_of_range", "quantity"),
    (b'{"quantity": -1}', 422, "correction_below_zero", "quantity"),
    (b'{"quantity": -1000000001}', 422, "quantity_out_of_range", "quantity"),
    (b'{"timestamp": "2020-01-01T00:00:00Z"}', 422, "timestamp_out_of_range", "timestamp"),
    (b'{"timestamp": "9999-01-01T00:00:00Z"}', 422, "timestamp_out_of_range", "timestamp"),
    (b'{"timestamp": "0001-01-01T00:00:00+14:00"}', 422, "timestamp_out_of_range", "timestamp"),
    (b'{"timestamp": "9999-12-31T23:59:59-12:00"}', 422, "timestamp_out_of_range", "timestamp"),
    (b'{"timestamp": "2026-11-21T09:14:00"}', 422, "validation_failed", "timestamp"),
    (b'{"timestamp": 1795000000}', 422, "validation_failed", "timestamp"),
    (b'{"timestamp": "today"}', 422, "validation_failed", "timestamp"),
    (b'{"subject": "phone"}', 422, "validation_failed", "subject"),
    (b'{"subject": ""}', 422, "validation_failed", "subject"),
    (b'{"subject": "a\\u0000b"}', 422, "validation_failed", "subject"),
    (b'{"quantity": 1000000001}', 422, "quantity_out_of_range", "quantity"),
    (b'{"quantity": 1' + b"0" * 400 + b"}", 422, "quantity_out_of_range", "quantity"),
    (b'{"quantity": "1"}', 422, "validation_failed", "quantity"),
    (b'{"quantity": 1.5}', 422, "validation_failed", "quantity"),
    (b'{"quantity": true}', 422, "validation_failed", "quantity"),
    (b'{"quantity": null}', 422, "validation_failed", "quantity"),
    (b'{"quantity": 1e999}', 422, "validation_failed", "quantity"),
    (b'{"quantity": NaN}', 422, "validation_failed", "quantity"),
    (b'{"meter": "words"}', 422, "unknown_meter", "meter"),
    (b'{"meter": ""}', 422, "validation_failed", "meter"),
    (b'{"meter": 5}', 422, "validation_failed", "meter"),
    (b'{"idempotencyKey": ""}', 422, "validation_failed", "Idempotency-Key"),
    (b'{"idempotencyKey": "' + b"k" * 256 + b'"}', 422, "validation_failed", "Idempotency-Key"),
    (b'{"idempotencyKey": "a\\u0000b"}', 422, "validation_failed", "Idempotency-Key"),
    (b'{"idempotency_key": "k"}', 422, "validation_failed", "idempotency_key"),
    (b'{"quantitty": 1}', 422, "validation_failed", "quantitty"),
    (b'{"subject": "x"}', 422, "validation_failed", "subject"),
    (b"{", 400, "malformed_json", None),
    (b"\xff\xfe", 400, "malformed_json", None),
    (b'{"quantity": 1} x', 400, "malformed_json", None),
    (b"[]", 400, "malformed_request", None),
    (b"null", 400, "malformed_request", None),
    (b"5", 400, "malformed_request", None),
    (b"[" * 100_000, 400, "body_too_deep", None),
    (b'{"a":' * 100_000, 400, "body_too_deep", None),
    (b'{"x": "' + b"y" * 10_000_000 + b'"}', 413, "body_too_large", None),
]


@each_case(("body", "status", "code", "param"), BODIES)
async def test_a_bad_body_is_refused_and_nothing_is_written(
    instance: Instance, alice: Account, body: bytes, status: int, code: str, param: str | None
):
    before = await rows(instance)
    headers = alice.calls(**{"Content-Type": "application/json"})

    refused(await instance.api.post("/api/data", headers=headers, content=body), status, code, param)

    assert await rows(instance) == before


HEADERS = [
    ({"X-User-Id": ""}, 422, "validation_failed", "X-User-Id"),
    ({"X-User-Id": "u" * 256}, 422, "validation_failed", "X-User-Id"),
    ({"X-User-Id": "ü" * 128}, 422, "validation_failed", "X-User-Id"),
    ({"X-User-Id": b"\xff\xfe"}, 422, "validation_failed", "X-User-Id"),
    ({"X-User-Id": "a\tb"}, 422, "validation_failed", "X-User-Id"),
    ({"X-User-Plan": "gold"}, 422, "unknown_plan", "X-User-Plan"),
    ({"X-User-Plan": ""}, 422, "unknown_plan", "X-User-Plan"),
    ({"Idempotency-Key": ""}, 422, "validation_failed", "Idempotency-Key"),
    ({"Idempotency-Key": "k" * 256}, 422, "validation_failed", "Idempotency-Key"),
    ({"Idempotency-Key": "schlüssel"}, 422, "validation_failed", "Idempotency-Key"),
]


@each_case(("sent", "status", "code", "param"), HEADERS)
async def test_a_bad_header_is_refused_and_nothing_is_written(
    instance: Instance, alice: Account, sent: dict[str, Any], status: int, code: str, param: str
):
    before = await rows(instance)
    headers = {**alice.calls(), **sent}
    encoded = {name: value if isinstance(value, bytes) else value.encode() for name, value in headers.items()}

    refused(await instance.api.post("/api/data", headers=encoded), status, code, param)

    assert await rows(instance) == before


async def test_a_call_without_a_user_is_refused(instance: Instance, alice: Account):
    refused(await instance.api.post("/api/data", headers=alice.sk), 422, "validation_failed", "X-User-Id")


async def test_a_body_that_is_no_json_by_its_type_is_refused(instance: Instance, alice: Account):
    headers = alice.calls(**{"Content-Type": "text/plain"})
    refused(await instance.api.post("/api/data", headers=headers, content=b"{}"), 415, "unsupported_media_type")


@each_case(
    ("authorization", "code"),
    [
        (None, "key_missing"),
        ("", "key_missing"),
        ("Basic abc", "key_missing"),
        ("Bearer", "key_missing"),
        ("Bearer nonsense", "key_malformed"),
        ("Bearer sk_test_" + "a" * 38, "key_malformed"),
        ("Bearer sk_prod_" + "a" * 38, "key_malformed"),
    ],
)
async def test_keys_that_can_be_none_are_refused_without_a_look(
    instance: Instance, alice: Account, authorization: str | None, code: str
):
    headers = {"X-User-Id": "ada"} | ({} if authorization is None else {"Authorization": authorization})
    answer = await instance.api.post("/api/data", headers=headers)

    refused(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_every_single_mistyped_character_is_noticed(instance: Instance, alice: Account):
    token = alice.secret["test"]
    for place in range(8, len(token)):
        mistyped = token[:place] + ("a" if token[place] != "a" else "b") + token[place + 1 :]
        answer = await instance.api.post("/api/data", headers={**bearer(mistyped), "X-User-Id": "ada"})
        assert answer.json()["code"] == "key_malformed"


async def test_a_well_formed_key_of_nobody_is_unknown(instance: Instance):
    from dream_api.keys import key_format

    answer = await instance.api.post(
        "/api/data", headers={**bearer(key_format.generate("secret", "test")), "X-User-Id": "ada"}
    )
    refused(answer, 401, "key_unknown")


async def test_a_publishable_key_may_not_count(instance: Instance, alice: Account):
    answer = await instance.api.post("/api/data", headers={**bearer(alice.publishable["test"]), "X-User-Id": "ada"})
    refused(answer, 403, "secret_key_required")


async def test_revoked_and_expired_keys_are_refused(instance: Instance, alice: Account):
    assert (await instance.api.post("/api/data", headers=alice.calls())).status_code == 200
    async with instance.database.write() as tx:
        short = await keys.issue(
            tx,
            alice.project,
            "test",
            "secret",
            instance_key=INSTANCE_KEY,
            created_by="test",
            expires_at=clock.now() + clock.HOUR,
        )
        await keys.revoke(tx, alice.project.platform_no, alice.key_ids["test"])
    calls = {**bearer(short.token), "X-User-Id": "ada"}

    refused(await instance.api.post("/api/data", headers=alice.calls()), 401, "key_revoked")
    assert (await instance.api.post("/api/data", headers=calls)).status_code == 200
    clock.move(2 * clock.HOUR)
    refused(await instance.api.post("/api/data", headers=calls), 401, "key_expired")


async def test_rights_are_decided_before_the_body_is_read(instance: Instance):
    answer = await instance.api.post("/api/data", headers={"X-User-Id": "ada"}, content=b"{" * 5_000_000)
    refused(answer, 401, "key_missing")


async def test_a_key_of_one_mode_does_not_reach_the_others_ids(instance: Instance, alice: Account):
    made = (await instance.api.post("/api/customers", headers=alice.sk, json={"userId": "ada"})).json()

    there = await instance.api.get(f"/api/customers/{made['id']}", headers=alice.live)
    nowhere = await instance.api.get("/api/customers/cus_00000000000000000000000000", headers=alice.live)

    assert there.status_code == nowhere.status_code == 404
    assert _but_id(there) == _but_id(nowhere)


def _but_id(answer: Any) -> dict[str, Any]:
    return {key: value for key, value in json.loads(answer.text).items() if key != "requestId"}
