"""A whole deployment under constant load: server processes, a worker, the database on a small disk, and Valkey.

The load goes on whatever happens, and remembers what was acknowledged: metered calls without and with a key, new
customers, and orders that were paid.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from tests.billing.developer import GOOD, URLS
from tests.support.instance import Account
from tests.support.load import Call, Served, Tally, load
from tests.support.movable_clock import MovableClock
from tests.support.postgres import Postgres, die_with_parent
from tests.support.server import environment
from tests.support.small_disk import Disk
from tests.support.valkey import Valkey

_USERS = 20
_PAUSE_SECONDS = 0.05
# Whether somebody else's request came in between, or the server is not there: another one is made.
_GONE = (httpx.TransportError, OSError)


class WorkerProcess:
    """`dream-api worker`, as an operator runs it beside the servers."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = self._served.server.settings
        with settings.data.with_name("worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dream_api", "worker"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(settings),
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call)
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        return self._served.server.settings.data.with_name("worker.log").read_text(errors="replace")


@dataclass
class Acknowledged:
    """What clients were promised."""

    free: Tally = field(default_factory=Tally)
    keyed: Tally = field(default_factory=Tally)
    customers: list[str] = field(default_factory=list)
    paid_orders: list[str] = field(default_factory=list)
    # Statuses of answers that no client should see.
    unexpected: list[str] = field(default_factory=list)


@dataclass
class Deployment:
    served: Served
    store: Account
    price: str
    clock: MovableClock
    disk: Disk
    valkey: Valkey
    # None on SQLite, where the server does the work.
    postgres: Postgres | None
    worker: WorkerProcess | None
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    @contextlib.asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        port, token = self.served.server.port, self.served.alice.secret["test"]
        keyed = (Call(f"keyed-{turn % _USERS}", key=f"key-{turn}") for turn in itertools.count())
        free = (Call(f"free-{turn % _USERS}") for turn in itertools.count())
        tally = self.acknowledged.keyed
        async with asyncio.TaskGroup() as clients:
            clients.create_task(
                load(port, token, keyed, connections=2, seconds=600, stop=stop, insisting=True, tally=tally)
            )
            for _ in range(2):
                clients.create_task(self._call_freely(free, stop))
            clients.create_task(self._create_customers(stop))
            clients.create_task(self._buy(stop))
            yield
            stop.set()

    async def _call_freely(self, calls: Any, stop: asyncio.Event) -> None:
        """Each call once; who is disconnected connects again for the next one."""
        port, token = self.served.server.port, self.served.alice.secret["test"]
        while not stop.is_set():
            await load(port, token, calls, connections=1, seconds=600, stop=stop, tally=self.acknowledged.free)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _create_customers(self, stop: asyncio.Event) -> None:
        async with self.served.api() as api:
            for turn in itertools.count():
                if stop.is_set():
                    return
                user = f"created-{turn}"
                answer = await self._ask(api, "/api/customers", {"userId": user})
                if answer is not None and answer.status_code == 201:
                    self.acknowledged.customers.append(user)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _buy(self, stop: asyncio.Event) -> None:
        """An order, paid at the sandbox; what is acknowledged to the buyer is delivered by a job."""
        async with httpx.AsyncClient(base_url=self.served.server.url, headers=self.store.sk, timeout=20) as api:
            while not stop.is_set():
                body = {"email": "ada@example.com", "items": [{"priceId": self.price, "quantity": 1}], **URLS}
                cart = await self._ask(api, "/api/cart/checkout", body)
                if cart is not None and cart.status_code == 200:
                    paid = await self._ask(api, f"{httpx.URL(cart.json()['url']).path}/pay", {"card": GOOD})
                    if paid is not None and paid.status_code == 200:
                        self.acknowledged.paid_orders.append(cart.json()["orderId"])
                await asyncio.sleep(2 * _PAUSE_SECONDS)

    async def _ask(self, api: httpx.AsyncClient, path: str, body: Any) -> httpx.Response | None:
        try:
            answer = await api.post(path, json=body)
        except _GONE:
            return None
        if answer.status_code >= 500 and answer.status_code != 503:
            self.acknowledged.unexpected.append(f"{path}: {answer.status_code} {answer.text}")
        return answer

    def processes(self) -> list[int]:
        """The server's children, where it has some."""
        return [each.pid for each in self.served.server.processes]

    def kill_parent(self) -> list[int]:
        """With its children left behind; their numbers."""
        children = self.processes()
        self.served.server.kill()
        return children

    def kill_child(self) -> None:
        os.kill(self.processes()[0], signal.SIGKILL)
