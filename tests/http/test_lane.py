"""The fast lane: HTTP over a real socket, plain and strange, beside uvicorn's own protocol."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dream_api.core.http import Lanes
from dream_api.core.settings import Settings
from tests.support.house import Account, House, open_house


@dataclass
class Socket:
    """A raw connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            if len(parts) > 1:
                await asyncio.sleep(0.002)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        status, *lines = head.decode().split("\r\n")[:-2]
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(status.split()[1]), headers, body

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), 20) == b""


@dataclass
class Served:
    """A house behind a real port."""

    house: House
    server: uvicorn.Server
    port: int
    sockets: list[Socket] = field(default_factory=list)

    @property
    def alice(self) -> Account:
        return self.house.alice

    async def connect(self) -> Socket:
        one = Socket(*await asyncio.open_connection("127.0.0.1", self.port))
        self.sockets.append(one)
        return one

    async def hang_up(self) -> None:
        for one in self.sockets:
            one.writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await one.writer.wait_closed()

    def call(self, user: str = "ada", body: bytes = b"", extra: bytes = b"") -> bytes:
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body) if body else b""
        return (
            b"POST /api/data HTTP/1.1\r\nHost: dream.test\r\nAuthorization: Bearer %b\r\nX-User-Id: %b\r\n%b%b\r\n%b"
            % (self.alice.secret["test"].encode(), user.encode(), length, extra, body)
        )

    async def count(self, user: str = "ada") -> int:
        return (await self.house.usage_of(self.alice, user))["count"]


@pytest.fixture
async def served(database_settings: Settings) -> AsyncIterator[Served]:
    async with open_house(database_settings) as house:
        config = uvicorn.Config(
            house.app,
            port=0,
            loop="none",
            http=Lanes(house.app.hot, HttpToolsProtocol),
            lifespan="off",
            log_config=None,
            server_header=False,
            timeout_keep_alive=1,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        opened = Served(house, server, server.servers[0].sockets[0].getsockname()[1])
        yield opened
        await opened.hang_up()
        server.should_exit = True
        await serving


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
    await served.house.set_limit(served.alice, "free", None)
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
