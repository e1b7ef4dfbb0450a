"""Runs the server: one per data directory, and nothing that was begun is lost when it stops."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dream_api.app import create_app
from dream_api.core import logs
from dream_api.core.http import Lane
from dream_api.core.settings import Settings

_LOCK_NAME = "server.lock"


class AlreadyRunning(Exception):
    """Another server works on the same data directory."""


@contextmanager
def sole_server(directory: Path) -> Iterator[None]:
    """Hold the data directory's lock; the system lets go of it when the process ends, however it ends."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / _LOCK_NAME).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(
                f"A server (process {file.read().strip() or 'unknown'}) already works on {directory}. "
                "Stop it first, or choose another data directory with DREAM_DATA."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def serve(settings: Settings, *, when_ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGINT or SIGTERM; begun requests are answered first."""
    logs.configure(settings.log_format, settings.log_level)
    if settings.is_embedded:
        with sole_server(settings.data):
            _run(settings, when_ready)
    else:
        _run(settings, when_ready)


def _run(settings: Settings, when_ready: Callable[[], None]) -> None:
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=partial(Lane, app.hot, HttpToolsProtocol),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_seconds,
        backlog=4096,
    )
    server = _Server(config, when_ready)
    server.run()


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)  # pyright: ignore[reportArgumentType]
        if self.started:
            self._when_ready()
