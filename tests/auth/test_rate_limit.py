"""Requests without a working secret key are limited by their address, those of a limited key by the key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest

from dream_api import accounts, keys
from dream_api.core import clock
from dream_api.core import tokens as core_tokens
from dream_api.core.http import rate_limit_key
from dream_api.core.settings import Settings
from dream_api.keys import key_format
from tests.support.instance import INSTANCE_KEY, Account, Instance, bearer, open_instance
from tests.support.request_burst import Flood, flood

RATE = 4
MANY = 6 * RATE
HOME = "203.0.113.7"


@pytest.fixture
async def limited(database_settings: Settings) -> AsyncIterator[Instance]:
    """A instance with a limit for open requests."""
    async with open_instance(database_settings.model_copy(update={"open_rate": RATE})) as instance:
        yield instance


@asynccontextmanager
async def coming_from(instance: Instance, address: str | None) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=instance.app, client=address if address is None else (address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://dream.test") as client:
        yield client


async def told(client: httpx.AsyncClient, method: str, path: str, headers: Any = None) -> str:
    """The code of the refusal, or `answered`."""
    answer = await client.request(method, path, headers=headers)
    return answer.json()["code"] if "json" in answer.headers["Content-Type"] and answer.is_error else "answered"


async def flooded(instance: Instance, method: str, path: str, headers: Any = None) -> Flood:
    async with coming_from(instance, HOME) as client:
        return await flood(lambda _: told(client, method, path, headers), MANY)


# By address.


@pytest.mark.parametrize(
    ("method", "path", "otherwise"),
    [
        ("POST", "/api/data", "key_missing"),
        ("GET", "/api/usage", "key_missing"),
        ("POST", "/api/customers", "key_missing"),
        ("GET", "/docs", "answered"),
        ("GET", "/docs/errors", "answered"),
        ("GET", "/openapi.json", "answered"),
        ("GET", "/assets/dream.css", "answered"),
        ("GET", "/nowhere", "not_found"),
        ("PUT", "/healthz/", "not_found"),
        ("PUT", "/api/usage", "method_not_allowed"),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_whatever_comes_without_a_key_is_limited(
    limited: Instance, method: str, path: str, otherwise: str
) -> None:
    came = await flooded(limited, method, path)

    assert came.was_limited_to(RATE), came
    assert came.answers.keys() == {otherwise, "rate_limited"}


@pytest.mark.parametrize("path", ["/api/data", "/api/customers"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    "code", ["key_malformed", "key_missing", "key_unknown", "key_revoked", "key_expired", "secret_key_required"]
)
async def test_a_key_that_opens_nothing_costs_whoever_sends_it(limited: Instance, path: str, code: str) -> None:
    alice = limited.alice
    bad = {
        "key_malformed": "Bearer sk_test_é".encode(),
        "key_missing": b"Basic YTpi",
        "key_unknown": f"Bearer {key_format.generate('secret', 'test')}".encode(),
        "secret_key_required": f"Bearer {alice.publishable['test']}".encode(),
    }
    async with limited.database.write() as tx:
        if code == "key_revoked":
            await keys.revoke(tx, alice.project.platform_no, alice.key_ids["test"])
        if code == "key_expired":
            await keys.rotate(tx, alice.project, "test", instance_key=INSTANCE_KEY, created_by="test", grace=0)
    sent = {b"Authorization": bad.get(code, alice.sk["Authorization"].encode()), b"X-User-Id": b"ada"}

    came = await flooded(limited, "POST", path, sent)

    assert came.was_limited_to(RATE), came
    assert came.answers.keys() == {code, "rate_limited"}


async def test_all_open_paths_share_one_bucket(limited: Instance) -> None:
    paths = ["/docs", "/nowhere", "/api/usage", "/openapi.json"]
    async with coming_from(limited, HOME) as client:
        came = await flood(lambda turn: told(client, "GET", paths[turn % len(paths)]), MANY)

    assert came.was_limited_to(RATE), came


@pytest.mark.parametrize("path", ["/api/data", "/nowhere"])
async def test_who_is_limited_is_told_when_to_come_again(limited: Instance, path: str) -> None:
    async with coming_from(limited, HOME) as client:
        answer = await client.post(path)
        while answer.status_code != 429:
            answer = await client.post(path)

    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit-Policy"] == f'"address";q={RATE};w=1'
    assert answer.headers["RateLimit"] == '"address";r=0;t=1'
    assert answer.json()["code"] == "rate_limited"
    assert answer.json()["hint"].startswith("Wait")
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]


async def test_a_second_later_they_are_admitted_again(limited: Instance, clock: Any) -> None:
    await flooded(limited, "GET", "/nowhere")
    clock.move(clock.SECOND)

    assert (await flooded(limited, "GET", "/nowhere")).admitted >= RATE


async def test_a_good_key_is_never_limited_by_its_address(limited: Instance) -> None:
    await flooded(limited, "GET", "/nowhere")
    async with coming_from(limited, HOME) as client:
        for method, path, expected in (
            ("POST", "/api/data", "answered"),
            ("GET", "/api/usage", "answered"),
            ("GET", "/nowhere", "not_found"),
        ):
            came = await flood(lambda _, m=method, p=path: told(client, m, p, limited.alice.calls()), MANY)
            assert came.answers == {expected: MANY}
    assert (await limited.usage_of(limited.alice))["count"] == MANY


async def test_a_good_personal_token_is_never_limited_by_its_address(limited: Instance) -> None:
    await flooded(limited, "GET", "/nowhere")
    async with coming_from(limited, HOME) as client:
        for path, expected in (("/api/customers", "answered"), ("/nowhere", "not_found")):
            headers = limited.alice.by("viewer")
            came = await flood(lambda _, p=path, h=headers: told(client, "GET", p, h), MANY)
            assert came.answers == {expected: MANY}


@pytest.mark.parametrize("code", ["token_malformed", "token_unknown", "token_revoked", "token_expired"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_personal_token_that_opens_nothing_costs_whoever_sends_it(limited: Instance, code: str) -> None:
    platform_no = limited.alice.project.platform_no
    async with limited.database.write() as tx:
        short = await accounts.issue_token(
            tx, platform_no, "owner", created_by="test", expires_at=clock.now() + clock.SECOND
        )
        await accounts.revoke_token(tx, platform_no, limited.alice.token_ids["owner"])
    clock.move(clock.SECOND)
    bad = {
        "token_malformed": "dpt_no",
        "token_unknown": core_tokens.create_token("dpt_"),
        "token_revoked": limited.alice.token["owner"],
        "token_expired": short.token,
    }

    came = await flooded(limited, "GET", "/api/customers", bearer(bad[code]))

    assert came.was_limited_to(RATE), came
    assert came.answers.keys() == {code, "rate_limited"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_probes_are_never_limited_and_take_nothing(limited: Instance, path: str) -> None:
    headers = bearer("no key at all")
    async with coming_from(limited, "127.0.0.1") as client:
        for probe in (None, headers):
            assert (await flood(lambda _, h=probe: told(client, "GET", path, h), MANY)).answers == {"answered": MANY}
        assert (await flood(lambda _: told(client, "GET", "/nowhere"), MANY)).was_limited_to(RATE)
        for probe in (None, headers):
            assert (await flood(lambda _, h=probe: told(client, "GET", path, h), MANY)).answers == {"answered": MANY}


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("addresses", "are_one"),
    [
        (["203.0.113.7", "203.0.113.8"], False),
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"], True),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], False),
        (["203.0.113.7", "::ffff:203.0.113.7"], True),
        (["::ffff:203.0.113.7", "::ffff:203.0.113.8"], False),
        (["fe80::1%eth0", "fe80::2%eth1"], True),
        (["unix", None], True),
    ],
)
async def test_callers_are_told_apart_by_address_and_ipv6_ones_by_network(
    limited: Instance, addresses: list[str], are_one: bool
) -> None:
    async with coming_from(limited, addresses[0]) as here, coming_from(limited, addresses[1]) as there:
        came = await flood(lambda turn: told((here, there)[turn % 2], "GET", "/nowhere"), MANY)

    assert came.was_limited_to(RATE if are_one else 2 * RATE), came


def test_a_caller_s_name_is_short_whatever_was_sent() -> None:
    assert rate_limit_key("x" * 10_000) == rate_limit_key("") == rate_limit_key(None) == "unknown"
    assert rate_limit_key("2001:DB8::1") == "2001:db8::/64"


async def test_at_zero_nobody_is_limited(instance: Instance) -> None:
    assert (await flooded(instance, "GET", "/nowhere")).answers == {"not_found": MANY}


# By key.


async def limit(instance: Instance, who: Account, per_second: int | None) -> None:
    async with instance.database.write() as tx:
        await keys.set_rate_limit(tx, who.project.platform_no, who.key_ids["test"], per_second)


async def test_a_limited_key_may_call_so_often_wherever_it_calls_and_what_is_refused_counts_nowhere(
    instance: Instance, alice: Account
) -> None:
    await limit(instance, alice, RATE)
    paths = [("POST", "/api/data"), ("GET", "/api/usage"), ("GET", "/api/customers"), ("GET", "/nowhere")]
    counted = 0

    async def ask(turn: int) -> str:
        nonlocal counted
        method, path = paths[turn % len(paths)]
        code = await told(instance.api, method, path, alice.calls())
        counted += path == "/api/data" and code == "answered"
        return code

    came = await flood(ask, MANY)

    assert came.was_limited_to(RATE), came
    await limit(instance, alice, None)
    assert (await instance.usage_of(alice))["count"] == counted


async def test_the_other_keys_are_not_slowed(instance: Instance, alice: Account, charlie: Account) -> None:
    await limit(instance, alice, 1)
    await flood(lambda _: told(instance.api, "GET", "/api/usage", alice.calls()), MANY)

    for headers in (alice.live, charlie.sk):
        came = await flood(lambda _, h=headers: told(instance.api, "GET", "/api/usage", {**h, "X-User-Id": "a"}), MANY)
        assert came.answers == {"answered": MANY}


async def test_a_limited_key_is_told_that_it_was_the_key(instance: Instance, alice: Account) -> None:
    await limit(instance, alice, 1)
    answer = await instance.api.post("/api/data", headers=alice.calls())
    while answer.status_code != 429:
        answer = await instance.api.post("/api/data", headers=alice.calls())

    assert answer.json()["code"] == "rate_limited"
    assert answer.headers["RateLimit-Policy"] == '"key";q=1;w=1'
    assert "allowed" not in answer.json()
