"""The lifecycle of a server process: prepare the instance, listen, greet, shut down gracefully."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import uvicorn
from rich.console import Console

from dream_api import app
from dream_api.core import logs
from dream_api.core.console import CommandError, Instance, open_instance
from dream_api.core.http import Connections, FastPathProtocolFactory, HttpProtocolFactory, RootApp, TrustedProxies
from dream_api.core.settings import Settings
from dream_api.server.lock import lock_data_directory
from dream_api.server.metrics_directory import metrics_directory
from dream_api.server.sockets import bind_sockets
from dream_api.server.supervisor import Supervisor

_BACKLOG = 4096

# Reads the prepared instance, and returns the function that prints the greeting once the server listens.
Greeting = Callable[[Instance], Awaitable[Callable[[], None]]]


def serve(settings: Settings, *, greet: Greeting) -> None:
    """Serve until SIGINT or SIGTERM, in as many processes as are set; begun requests are answered first.

    CommandError, before anything is started, where another server runs, the port is taken or there is no database.
    """
    logs.configure(settings.log_format, settings.log_level)
    if settings.is_embedded and settings.processes > 1:
        raise CommandError(
            f"{settings.processes} server processes cannot share a SQLite database.",
            code="processes_need_postgresql",
            hint="SQLite allows one server process. To use several, set DREAM_DATABASE_URL to a PostgreSQL database.",
        )
    alone = lock_data_directory(settings.data) if settings.is_embedded else nullcontext()
    with alone, bind_sockets(settings) as (ready, sockets):
        greeting = asyncio.run(_prepared(ready, greet))
        if ready.processes == 1:
            serve_on(sockets, ready, greeting)
            return
        with metrics_directory() as directory:
            Supervisor(ready, sockets, directory, greeting).run()


def serve_on(sockets: list[socket.socket], settings: Settings, greeting: Callable[[], None]) -> None:
    """Serve in this process; the greeting is called in its event loop once it listens."""
    _Server(_config(settings), greeting).run(sockets)


async def _prepared(settings: Settings, greet: Greeting) -> Callable[[], None]:
    """The greeting to print once the server listens; CommandError where something keeps it from starting."""
    async with open_instance(app, settings, Console(quiet=True), creates=True) as instance:
        await instance.prepare()
        await instance.verify_key()
        return await greet(instance)


def _config(settings: Settings) -> uvicorn.Config:
    root_app = app.create_app(settings)
    return uvicorn.Config(
        root_app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=http_protocol(root_app, settings),  # pyright: ignore[reportArgumentType]
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_seconds,
        backlog=_BACKLOG,
    )


def http_protocol(root_app: RootApp, settings: Settings) -> FastPathProtocolFactory | HttpProtocolFactory:
    """What makes the protocol of each connection: the fast path with its fallback, or the latter alone."""
    connections = Connections(settings.connections_per_address, TrustedProxies(settings.trusted_proxies))
    protocols = HttpProtocolFactory(connections, root_app.answer_error)
    return FastPathProtocolFactory(root_app.hot, protocols) if settings.fast_path else protocols


class _Server(uvicorn.Server):
    """Greets once it listens, and ends with exit code 0 after a signal to stop."""

    def __init__(self, config: uvicorn.Config, greeting: Callable[[], None]) -> None:
        super().__init__(config)
        self._greeting = greeting

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _settle_memory()
            self._greeting()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # Uvicorn would now re-raise the signal that stopped it; but the shutdown was graceful: no failure.
        self._captured_signals.clear()  # pyright: ignore[reportPrivateUsage]


def _settle_memory() -> None:
    """Exempt what the start has made from garbage collection, and collect less often.

    Measured: with the interpreter's thresholds a tenth of a metered call is spent collecting garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
