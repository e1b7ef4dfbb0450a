"""The fast path: HTTP over a real socket, plain and strange, next to uvicorn's own protocol."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest

from dream_api.core.settings import Settings
from tests.support.instance import open_instance
from tests.support.raw_http import Served, served_on_port


@pytest.fixture
async def served(database_settings: Settings) -> AsyncIterator[Served]:
    async with open_instance(database_settings) as instance, served_on_port(instance) as opened:
        yield opened


async def test_calls_on_one_connection_are_counted_in_order(served: Served):
    one = await served.connect()
    for expected in (1, 2, 3):
        await one.send(served.call())
        status, headers, body = await one.answer()
        assert (status, json.loads(body)["usage"]["count"]) == (200, expected)
        assert headers["x-request-id"].startswith("req_")
        assert "date" in headers


async def test_pipelined_calls_are_answered_in_order(served: Served):
    one = await served.connect()
    await one.send(served.call() * 5 + served.call("bob") + served.call())
    counts = [json.loads((await one.answer())[2])["usage"]["count"] for _ in range(7)]

    assert counts == [1, 2, 3, 4, 5, 1, 6]


async def test_a_call_may_come_in_any_pieces(served: Served):
    whole = served.call(body=b'{"quantity": 2}')
    await served.count()
    for cut in range(1, len(whole), 7):
        one = await served.connect()
        await one.send(whole[:cut], whole[cut:])
        assert (await one.answer())[0] == 200
        one.writer.close()
    assert await served.count() == 2 * len(range(1, len(whole), 7))


async def test_byte_by_byte(served: Served):
    one = await served.connect()
    await one.send(*(bytes([byte]) for byte in served.call()))
    assert (await one.answer())[0] == 200


async def test_a_connection_changes_to_other_paths_and_back(served: Served):
    one = await served.connect()
    get = b"GET /healthz HTTP/1.1\r\nHost: dream.test\r\n\r\n"
    await one.send(served.call() + get + served.call() + get)
    answers = [await one.answer() for _ in range(4)]

    assert [status for status, _, _ in answers] == [200, 200, 200, 200]
    assert [json.loads(body).get("status") for _, _, body in answers] == [None, "ok", None, "ok"]
    assert await served.count() == 2


async def test_chunked_bodies_are_uvicorns(served: Served):
    one = await served.connect()
    head = served.call(extra=b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
    await one.send(head + b'7\r\n{"quant\r\n8\r\nity": 3}\r\n0\r\n\r\n')
    status, _, body = await one.answer()

    assert (status, json.loads(body)["usage"]["count"]) == (200, 3)


async def test_expect_continue_is_uvicorns(served: Served):
    one = await served.connect()
    body = b'{"quantity": 4}'
    head = served.call(body=body, extra=b"Expect: 100-continue\r\n")[: -len(body)]
    await one.send(head)
    assert (await one.answer())[0] == 100
    await one.send(body)
    status, _, answer = await one.answer()

    assert (status, json.loads(answer)["usage"]["count"]) == (200, 4)


async def test_connection_close_is_kept(served: Served):
    one = await served.connect()
    await one.send(served.call(extra=b"Connection: close\r\n"))

    assert (await one.answer())[0] == 200
    assert await one.is_closed()


async def test_http_1_0_is_uvicorns(served: Served):
    one = await served.connect()
    await one.send(served.call().replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert (await one.answer())[0] == 200
    assert await one.is_closed()


@pytest.mark.parametrize(
    "odd",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5 5\r\n",
        b"X-Odd : 1\r\n",
        b"X-Odd: a\x00b\r\n",
        b"X-Odd: a\rb\r\n",
        b"X-Odd: 1\n",
        b" folded: 1\r\n",
        b"no colon\r\n",
    ],
)
async def test_odd_heads_count_nothing_that_uvicorn_would_not(served: Served, odd: bytes):
    """Whatever uvicorn says of it, the lane must not read another request out of the same bytes."""
    one = await served.connect()
    await one.send(served.call(extra=odd) + b"hello")
    one.writer.write_eof()
    seen = await asyncio.wait_for(one.reader.read(), 5)

    plain = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", seen)]
    assert plain == [] or plain[0] == 400 or (len(plain) <= 2 and plain[0] in (200, 400))
    assert await served.count() <= 1


async def test_large_bodies_are_refused_and_counted_nowhere(served: Served):
    one = await served.connect()
    body = b'{"quantity": 1, "x": "' + b"y" * 10_000_000 + b'"}'
    one.writer.write(served.call(body=body))
    status, _, answer = await one.answer()

    assert (status, json.loads(answer)["code"]) == (413, "body_too_large")
    assert await served.count() == 0


async def test_an_endless_head_does_not_fill_the_memory(served: Served):
    one = await served.connect()
    one.writer.write(b"POST /api/data HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 17_000)
    status, headers, body = await one.answer()

    assert (status, json.loads(body)["code"], headers["connection"]) == (431, "head_too_large", "close")
    one.writer.transport.abort()


async def test_an_idle_connection_is_closed(served: Served):
    one = await served.connect()
    await one.send(served.call())
    assert (await one.answer())[0] == 200
    assert await one.is_closed()


async def test_a_client_that_leaves_is_counted_once_and_harms_nobody(served: Served):
    leaving = await served.connect()
    await leaving.send(served.call())
    leaving.writer.transport.abort()
    staying = await served.connect()
    await staying.send(served.call())

    assert (await staying.answer())[0] == 200
    assert await served.count() in (1, 2)


async def test_a_client_that_reads_nothing_is_not_served_for_ever(served: Served):
    """Twenty thousand calls are pipelined by a client that reads no answer: only so many are begun."""
    one = await served.connect()
    await served.instance.set_limit(served.alice, "free", None)
    one.writer.transport.set_write_buffer_limits(high=1 << 30)
    one.writer.write(served.call() * 20_000)
    before = -1
    while (now := await served.count()) != before:
        before = now
        await asyncio.sleep(0.3)
    assert before < 20_000
    one.writer.transport.abort()


async def test_refusals_come_through_the_lane_in_the_one_shape(served: Served):
    one = await served.connect()
    await one.send(served.call().replace(b"Bearer sk_test_", b"Bearer sk_test_x"))
    status, headers, body = await one.answer()
    told = json.loads(body)

    assert (status, told["code"]) == (401, "key_malformed")
    assert headers["www-authenticate"].startswith("bearer")
    assert told["requestId"].lower() == headers["x-request-id"].lower()
    await one.send(served.call())
    assert (await one.answer())[0] == 200


async def test_stopping_answers_what_was_begun(served: Served):
    sockets = [await served.connect() for _ in range(10)]
    for one in sockets:
        await one.send(served.call())
    served.server.should_exit = True
    answers = [await one.answer() for one in sockets]

    assert {status for status, _, _ in answers} == {200}
    assert await served.count() == 10
