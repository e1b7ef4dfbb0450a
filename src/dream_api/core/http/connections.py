"""Open connections: a limit for each address, and deadlines, which are checked twice a second."""

import asyncio
from collections import Counter
from typing import Protocol

import structlog

from dream_api.core.errors import TooMany
from dream_api.core.http.client_address import TrustedProxies, rate_limit_key

_log = structlog.get_logger()

_CHECK_SECONDS = 0.5


class TooManyConnections(TooMany):
    code = "too_many_connections"
    hint = "Close idle connections, and reuse open ones."


class Connection(Protocol):
    """A connection whose deadlines are checked."""

    def check_deadlines(self, now: float) -> None:
        """End what has waited for too long. `now` is the event loop's time in seconds."""
        ...


class Connections:
    """The connections of this process. Each process that shares the port allows an address its own number."""

    def __init__(self, per_address: int, proxies: TrustedProxies) -> None:
        """`per_address` 0 is any number; trusted proxies may have any number in every case."""
        self._per_address = per_address
        self._proxies = proxies
        self._open: dict[Connection, str] = {}
        self._counts: Counter[str] = Counter()
        self._check: asyncio.TimerHandle | None = None

    @property
    def number(self) -> int:
        return len(self._open)

    def add(self, connection: Connection, peer: str | None) -> bool:
        """False, and nothing is added, where the address has as many as it may have."""
        address = rate_limit_key(peer)
        is_full = 0 < self._per_address <= self._counts[address]
        if is_full and peer is not None and not self._proxies.trust(peer):
            return False
        self._open[connection] = address
        self._counts[address] += 1
        if self._check is None:
            self._check = asyncio.get_running_loop().call_later(_CHECK_SECONDS, self._check_deadlines)
        return True

    def replace(self, connection: Connection, by: Connection) -> None:
        """The same connection is served by another protocol from now on."""
        if connection in self._open:
            self._open[by] = self._open.pop(connection)

    def remove(self, connection: Connection) -> None:
        address = self._open.pop(connection, None)
        if address is None:
            return
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def _check_deadlines(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self._open):
            try:
                connection.check_deadlines(loop.time())
            except Exception:  # a fault in one must not leave all others without deadlines
                _log.exception("deadlines not checked")
        self._check = loop.call_later(_CHECK_SECONDS, self._check_deadlines) if self._open else None
