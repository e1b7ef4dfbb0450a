"""Middleware: request ids, errors in one shape, bugs reported as such, and the operators' own paths."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest
import structlog.testing
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.responses import StreamingResponse

from dream_api.app import create_app
from dream_api.core.errors import InternalError, Overloaded
from dream_api.core.http import RequestContextMiddleware
from dream_api.core.http.cookies import drop_escaped_cookies
from dream_api.core.settings import Settings
from tests.support.instance import Account, Instance, bearer

SHAPE = {"error", "code", "param", "hint", "requestId", "docs"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert told.keys() == SHAPE
    assert told["requestId"] == answer.headers["X-Request-Id"]
    assert told["docs"] == f"http://127.0.0.1:8787/docs/errors/{code}"
    return told


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    "path", ["/nowhere", "/api", "/api/", "/api/data/", "/api/usage/x", "/%00", "/docs/errors/%FF"]
)
async def test_a_path_that_is_none_is_not_found(instance: Instance, path: str) -> None:
    refused(await instance.api.get(path), 404, "not_found")


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/data", {"POST"}),
        ("POST", "/api/usage", {"GET"}),
        ("DELETE", "/api/customers", {"GET", "POST"}),
        ("POST", "/api/customers/userId:ada", {"GET", "PATCH", "DELETE"}),
        ("POST", "/healthz", {"GET"}),
    ],
)
async def test_a_method_that_a_path_does_not_know_is_told_with_those_it_does(
    instance: Instance, method: str, path: str, allowed: set[str]
) -> None:
    answer = await instance.api.request(method, path)

    refused(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_people_are_told_by_a_page_and_programs_in_json(instance: Instance) -> None:
    page = await instance.api.get("/nowhere", headers=BROWSER)

    assert page.status_code == 404
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["X-Request-Id"] in page.text
    assert "This path does not exist." in page.text
    for accept in ("application/json", "*/*", "application/json, text/html", ""):
        refused(await instance.api.get("/nowhere", headers={"Accept": accept}), 404, "not_found")


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_every_answer_has_an_id_of_its_own_and_keeps_browsers_from_guessing(
    instance: Instance, alice: Account
) -> None:
    paths = ["/healthz", "/api/customers", "/nowhere", "/docs/errors", "/openapi.json"]
    answers = [await instance.api.get(path, headers=alice.sk) for path in paths]

    for answer in answers:
        assert re.fullmatch(r"req_[0-9a-z]{20,}", answer.headers["X-Request-Id"])
        assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(paths)


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_every_answer_is_logged_with_its_id_and_without_its_key(instance: Instance, alice: Account) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await instance.api.get("/api/customers?limit=1", headers=alice.sk)

    [line] = [log for log in logs if log["event"] == "answered"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/customers", 200)
    assert alice.secret["test"] not in repr(logs)


# Bugs.


@pytest.fixture
async def broken() -> AsyncIterator[httpx.AsyncClient]:
    """An application with a bug, behind the front."""
    app = FastAPI()
    app.add_middleware(RequestContextMiddleware, link_base="http://127.0.0.1:8787")

    @app.get("/bug")
    async def bug() -> None:
        raise RuntimeError("hunter2")

    @app.get("/designed")
    async def designed() -> None:
        raise Overloaded("Too many.", retry_after=7)

    @app.get("/known")
    async def known() -> None:
        raise InternalError("The calls could not be counted.")

    @app.get("/half")
    async def half() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield "half"
            raise RuntimeError("hunter2")

        return StreamingResponse(parts())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://dream.test") as client:
        yield client


@pytest.mark.parametrize("accept", ["application/json", BROWSER["Accept"]])
async def test_a_bug_is_answered_without_a_word_of_it_and_logged_whole(broken: httpx.AsyncClient, accept: str) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await broken.get("/bug", headers={"Accept": accept})

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "internal_error" in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    [bug] = [log for log in logs if log["event"] == "bug"]
    assert bug["request_id"] == answer.headers["X-Request-Id"]
    assert str(bug["exc_info"]) == "hunter2"
    [line] = [log for log in logs if log["event"] == "answered"]
    assert (line["status"], line["request_id"]) == (500, bug["request_id"])


async def test_a_bug_that_was_told_as_one_is_logged_too(broken: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        refused(await broken.get("/known"), 500, "internal_error")

    assert [log["sentence"] for log in logs if log["event"] == "bug"] == ["The calls could not be counted."]


async def test_a_designed_503_says_when_to_come_again_and_is_no_bug(broken: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await broken.get("/designed")

    refused(answer, 503, "overloaded")
    assert answer.headers["Retry-After"] == "7"
    assert [log["event"] for log in logs] == ["answered"]


async def test_an_answer_that_breaks_in_the_middle_is_not_told_as_whole(broken: httpx.AsyncClient) -> None:
    with pytest.raises(Exception, match="hunter2"):
        await broken.get("/half")


# What operators and their machines ask.


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_server_that_lives_says_so(instance: Instance, path: str) -> None:
    answer = await instance.api.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_server_that_is_stopping_takes_no_new_requests(instance: Instance) -> None:
    instance.app.state.is_stopping = True  # type: ignore[attr-defined]
    answer = await instance.api.get("/readyz")

    refused(answer, 503, "shutting_down")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await instance.api.get("/healthz")).status_code == 200


@asynccontextmanager
async def asking(settings: Settings, address: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://dream.test") as client:
        yield client
    await app.state.database.close()


@pytest.mark.parametrize(
    ("address", "token", "status"),
    [
        ("127.0.0.1", None, 200),
        ("127.8.0.1", None, 200),
        ("::1", None, 200),
        ("203.0.113.9", None, 403),
        ("10.0.0.1", None, 403),
        ("::ffff:203.0.113.9", None, 403),
        ("localhost", None, 403),
        ("203.0.113.9", "open sesame", 200),
        ("203.0.113.9", "open sesam", 403),
        ("203.0.113.9", "", 403),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_figures_are_open_to_this_machine_and_to_the_token(
    database_settings: Settings, address: str, token: str | None, status: int
) -> None:
    settings = database_settings.model_copy(update={"metrics_token": SecretStr("open sesame")})
    headers = {} if token is None else bearer(token)
    async with asking(settings, address) as client:
        answer = await client.get("/metrics", headers=headers)

    assert answer.status_code == status
    if status == 200:
        assert "# TYPE dream_requests_total counter" in answer.text
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    else:
        refused(answer, 403, "metrics_forbidden")


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_without_a_token_none_opens_the_figures(database_settings: Settings) -> None:
    async with asking(database_settings, "203.0.113.9") as client:
        for headers in ({}, bearer(""), bearer("None"), {"Authorization": ""}):
            refused(await client.get("/metrics", headers=headers), 403, "metrics_forbidden")


async def figure(instance: Instance, name: str) -> float:
    text = (await instance.api.get("/metrics")).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_calls_and_requests_show_in_the_figures(instance: Instance, alice: Account) -> None:
    names = [
        'dream_metered_calls_total{outcome="allowed"}',
        'dream_metered_calls_total{outcome="tier_limit_reached"}',
        'dream_metered_calls_total{outcome="key_missing"}',
        'dream_requests_total{method="GET",route="/api/customers",status="200"}',
        'dream_requests_total{method="GET",route="other",status="404"}',
    ]
    before = [await figure(instance, name) for name in names]
    await instance.set_limit(alice, "free", 2)
    for _ in range(3):
        await instance.api.post("/api/data", headers=alice.calls())
    await instance.api.post("/api/data")
    await instance.api.get("/api/customers", headers=alice.sk)
    await instance.api.get("/nowhere/123")
    after = [await figure(instance, name) for name in names]

    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1, 1, 1]
    assert "nowhere" not in (await instance.api.get("/metrics")).text


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("path", ["/healthz", "/account/sign-in", "/api/customers"])
async def test_escaped_cookies_take_no_time_to_read(instance: Instance, path: str) -> None:
    plain = await instance.api.get(path)
    began = time.process_time()

    for escape in ('\\"', "\\x", "\\101", "\\"):
        escaped = await instance.api.get(path, headers={"Cookie": f'a="{escape * (65_536 // len(escape))}"'})
        assert escaped.status_code == plain.status_code

    assert time.process_time() - began < 2  # where they are unquoted, each takes five seconds


def test_only_escaped_cookies_are_dropped() -> None:
    other = (b"accept", b"a\\b")
    scope = {"headers": [other, (b"cookie", b'a=1; b="\\101"; c="/d"'), (b"cookie", b"\\;e=2")]}

    drop_escaped_cookies(scope)

    assert scope["headers"] == [other, (b"cookie", b'a=1; c="/d"'), (b"cookie", b"e=2")]
