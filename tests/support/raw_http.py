"""HTTP over raw sockets against a server in this process: requests in any pieces, well-formed or not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from dream_api.core.http import Connections, Deadlines, FastPathProtocolFactory, HttpProtocolFactory, TrustedProxies
from tests.support.instance import Account, Instance

PATIENCE_SECONDS = 20
# How connections are served: by the fast path and what it hands over to, or by the latter alone.
ProtocolFactory = Callable[[Any, HttpProtocolFactory], Any]


def fast_path(app: Any, protocols: HttpProtocolFactory) -> Any:
    return FastPathProtocolFactory(app.hot, protocols)


def without_fast_path(_: Any, protocols: HttpProtocolFactory) -> Any:
    return protocols


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

    async def send_all(self, parts: Iterable[bytes]) -> None:
        """Send them one after the other and nothing more, for as long as the server wants to hear it."""
        try:
            await self.send(*parts)
            self.writer.write_eof()
        except (OSError, RuntimeError):
            assert self.writer.transport.is_closing()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
        status, *lines = head.decode().split("\r\n")[:-2]
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(status.split()[1]), headers, body

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self.reader.read(), PATIENCE_SECONDS) == b""

    async def rest(self) -> bytes:
        """Everything that still comes until the server closes the connection."""
        parts: list[bytes] = []
        with contextlib.suppress(OSError):
            while part := await asyncio.wait_for(self.reader.read(65_536), PATIENCE_SECONDS):
                parts.append(part)
        return b"".join(parts)


@dataclass
class Served:
    """An instance behind a real port."""

    instance: Instance
    server: uvicorn.Server
    port: int
    connections: Connections
    sockets: list[Socket] = field(default_factory=list)

    @property
    def alice(self) -> Account:
        return self.instance.alice

    async def connect(self) -> Socket:
        one = Socket(*await asyncio.open_connection("127.0.0.1", self.port))
        self.sockets.append(one)
        return one

    async def hang_up(self) -> None:
        for one in self.sockets:
            one.writer.transport.abort()
            with contextlib.suppress(OSError):
                await one.writer.wait_closed()
        self.sockets.clear()

    def call(self, user: str = "ada", body: bytes = b"", extra: bytes = b"") -> bytes:
        length = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body) if body else b""
        return (
            b"POST /api/data HTTP/1.1\r\nHost: dream.test\r\nAuthorization: Bearer %b\r\nX-User-Id: %b\r\n%b%b\r\n%b"
            % (self.alice.secret["test"].encode(), user.encode(), length, extra, body)
        )

    async def count(self, user: str = "ada") -> int:
        return (await self.instance.usage_of(self.alice, user))["count"]


@asynccontextmanager
async def served_on_port(
    instance: Instance,
    factory: ProtocolFactory = fast_path,
    *,
    idle_seconds: int = 1,
    per_address: int = 0,
    proxies: tuple[str, ...] = (),
    deadlines: Deadlines | None = None,
) -> AsyncIterator[Served]:
    connections = Connections(per_address, TrustedProxies(proxies))
    config = uvicorn.Config(
        instance.app,
        port=0,
        loop="none",
        http=factory(
            instance.app, HttpProtocolFactory(connections, instance.app.answer_error, deadlines or Deadlines())
        ),
        lifespan="off",
        log_config=None,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=idle_seconds,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    opened = Served(instance, server, server.servers[0].sockets[0].getsockname()[1], connections)
    try:
        yield opened
    finally:
        await opened.hang_up()
        server.should_exit = True
        await serving
