"""`DREAM_FAST_PATH=false`: the same answers and counts from a real server, all by uvicorn's protocol."""

import re
from typing import Any

import httpx2 as httpx
import pytest

from dream_api.app import create_app
from dream_api.core.http import FastPathProtocolFactory, HttpProtocolFactory
from dream_api.core.settings import Settings
from dream_api.server.lifecycle import http_protocol
from tests.support.load import found
from tests.support.server import Server

_CALLS: list[dict[str, Any]] = [
    {},
    {"json": {"quantity": 2}},
    {"json": {"quantity": 3}, "headers": {"Idempotency-Key": "once"}},
    {"json": {"quantity": 3}, "headers": {"Idempotency-Key": "once"}},
    {"json": {"quantity": "many"}},
    {"content": b"{"},
    {"content": b"a=b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    {"json": {"quantity": 1, "x": "y" * 2_000_000}},
    {"headers": {"Authorization": "Bearer sk_test_x"}},
    {"headers": {"X-User-Id": ""}},
]
# What differs from one call to the next, however it is served.
_VARYING = re.compile(r'req_\w+|"(resetsAt|at|periodEnd)":\s*"[^"]+"')


async def test_a_metered_call_is_answered_the_same_without_the_fast_path(database_settings: Settings) -> None:
    alice = await found(database_settings)
    answers: dict[bool, list[tuple[int, str, set[str]]]] = {}
    for is_on in (True, False):
        with Server(database_settings, fast_path=is_on, open_rate=0) as server, httpx.Client() as client:
            headers = {**alice.sk, "X-User-Id": f"ada-{is_on}"}
            answers[is_on] = [_answer(client, server.url, headers, call, str(is_on)) for call in _CALLS]

    assert [status for status, _, _ in answers[True]][:4] == [200, 200, 200, 200]
    assert answers[False] == answers[True]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(("is_on", "kind"), [(True, FastPathProtocolFactory), (False, HttpProtocolFactory)])
def test_the_setting_decides_who_reads_from_the_socket(database_settings: Settings, is_on: bool, kind: type) -> None:
    settings = database_settings.model_copy(update={"fast_path": is_on})

    assert type(http_protocol(create_app(settings), settings)) is kind


def _answer(
    client: httpx.Client, url: str, headers: dict[str, str], call: dict[str, Any], turn: str
) -> tuple[int, str, set[str]]:
    more: dict[str, str] = dict(call.get("headers", {}))
    if "Idempotency-Key" in more:
        more["Idempotency-Key"] += turn
    content: dict[str, Any] = {name: value for name, value in call.items() if name != "headers"}
    answer = client.post(url + "/api/data", headers=headers | more, **content)
    text = _VARYING.sub("", answer.text).replace(turn, "").replace(url, "")
    return answer.status_code, text, set(answer.headers) - {"connection", "transfer-encoding"}
