"""Browsers call from the websites that a project lists, with its publishable key."""

import pytest

from dream_api import platforms
from dream_api.core import tokens
from dream_api.core.settings import Settings
from tests.support.instance import ORIGIN, Account, Cast, Instance, bearer, open_instance
from tests.support.protected_routes import add_doors

DOOR = "/doors/publishable"


@pytest.fixture(autouse=True)
def _doors(instance: Instance) -> None:
    add_doors(instance)


def by_header(key: str, **more: str) -> dict[str, str]:
    return {"X-Publishable-Key": key, **more}


async def test_a_publishable_key_opens_its_own_project_and_mode(instance: Instance, alice: Account) -> None:
    for mode in platforms.MODES:
        key = alice.publishable[mode]
        for headers in (bearer(key), by_header(key), bearer(alice.secret[mode])):
            answer = await instance.api.post(DOOR, headers=headers)
            assert answer.status_code == 200
            assert (answer.json()["project"], answer.json()["mode"]) == (alice.project.id, mode)


async def test_idempotency_keys_of_browsers_are_not_the_servers(instance: Instance, alice: Account) -> None:
    browser = await instance.api.post(DOOR, headers=bearer(alice.publishable["test"]))
    server = await instance.api.post(DOOR, headers=alice.sk)

    assert browser.json()["caller"] != server.json()["caller"]


async def test_nothing_else_opens_it(instance: Instance, alice: Account) -> None:
    for headers, told in (
        ({}, (401, "key_missing")),
        (by_header(""), (401, "key_malformed")),
        (by_header(alice.publishable["test"][:-1]), (401, "key_malformed")),
        (by_header(alice.secret["test"]), (401, "key_malformed")),
        (by_header(alice.token["owner"]), (401, "key_malformed")),
        (bearer(alice.token["owner"]), (403, "secret_key_required")),
        (bearer("nonsense") | by_header(alice.publishable["test"]), (401, "key_malformed")),
    ):
        answer = await instance.api.post(DOOR, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == told


async def test_a_browser_asks_before_it_calls(instance: Instance) -> None:
    asking = {
        "Origin": "https://any.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }

    answer = await instance.api.options(DOOR, headers=asking)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_other_paths_are_not_open_to_browsers(instance: Instance, alice: Account) -> None:
    for path in ("/api/customers", "/api/data", "/doors/selling"):
        asked = await instance.api.options(path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
        assert asked.status_code == 405
    answer = await instance.api.get("/api/customers", headers=alice.sk | {"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_listed_website_may_read_the_answer(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post(DOOR, headers=by_header(alice.publishable["live"], Origin=ORIGIN))

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Vary"] == "Origin"


async def test_what_no_browser_sent_is_answered_without_naming_websites(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post(DOOR, headers=by_header(alice.publishable["live"]))

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


async def test_another_website_gets_nothing_but_the_reason(instance: Instance, alice: Account) -> None:
    for origin in ("https://evil.com", "https://myapp.com.evil.com", "null", "http://localhost:3000"):
        answer = await instance.api.post(DOOR, headers=by_header(alice.publishable["live"], Origin=origin))
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")


async def test_a_website_can_read_why_it_was_refused(
    instance: Instance, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, products = alice.publishable["live"], "/api/products"
    for method, path, headers, told in (
        ("POST", DOOR, {}, (401, "key_missing")),
        ("POST", DOOR, by_header(key[:-1]), (401, "key_malformed")),
        ("POST", DOOR, bearer(alice.token["owner"]), (403, "secret_key_required")),
        ("POST", DOOR, by_header(key, Origin="https://evil.com"), (403, "origin_not_allowed")),
        ("PUT", DOOR, by_header(key), (405, "method_not_allowed")),
        ("GET", f"{products}?limit=x", by_header(key), (422, "validation_failed")),
        ("GET", products, by_header(tokens.create_token("pk_live_")), (500, "internal_error")),
    ):
        if told[0] == 500:
            monkeypatch.setattr(instance.authenticator.keys, "database", None)
        answer = await instance.api.request(method, path, headers={"Origin": ORIGIN, **headers})
        assert (answer.status_code, answer.json()["code"]) == told
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", ORIGIN), told
        [readable] = answer.headers.get_list("Access-Control-Expose-Headers")
        assert "Retry-After" in readable
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_website_that_calls_too_often_can_read_when_to_come_again(
    database_settings: Settings, cast: Cast
) -> None:
    alice = cast[0]
    async with open_instance(database_settings.model_copy(update={"open_rate": 1}), cast=cast) as instance:
        headers = by_header(alice.publishable["live"], Origin=ORIGIN)
        answers = [await instance.api.get("/api/products", headers=headers) for _ in range(3)]

    limited = next(answer for answer in answers if answer.status_code == 429)
    assert answers[0].headers["Access-Control-Allow-Origin"] == ORIGIN
    assert limited.headers["Access-Control-Allow-Origin"] == "*"
    assert {"Retry-After", "RateLimit"} <= set(limited.headers["Access-Control-Expose-Headers"].split(", "))


async def test_refusals_of_other_paths_are_not_for_websites(instance: Instance, alice: Account) -> None:
    for path in ("/api/customers", "/api/data", "/nowhere"):
        answer = await instance.api.post(path, headers={"Origin": ORIGIN})
        assert answer.status_code in (401, 404)
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_pages_on_this_machine_may_call_in_test_mode(instance: Instance, alice: Account) -> None:
    answer = await instance.api.post(DOOR, headers=by_header(alice.publishable["test"], Origin="http://localhost:3000"))

    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


async def test_a_website_that_is_taken_off_the_list_is_refused_at_once(instance: Instance, alice: Account) -> None:
    headers = by_header(alice.publishable["live"], Origin=ORIGIN)
    assert (await instance.api.post(DOOR, headers=headers)).status_code == 200

    async with instance.database.write() as tx:
        await platforms.change_origins(tx, alice.project, remove=[ORIGIN])

    assert (await instance.api.post(DOOR, headers=headers)).status_code == 403
