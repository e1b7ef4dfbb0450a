"""What is measured: servers on both databases, the constant answer to compare with, and the accounts that call."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
from tests.support.instance import bootstrap_with_key, open_account
from tests.support.server import Server

from dream_api import app, catalog, platforms
from dream_api.catalog import TierLimit
from dream_api.core.settings import Settings
from dream_api.usage import Window

PLAN = "bench"
_PLENTY = 10**12


@dataclass(frozen=True, slots=True)
class Keys:
    """Of one platform that is not the operator's: test mode with one limit, live mode with a level and two limits."""

    test: str
    live: str


async def _account(settings: Settings) -> Keys:
    database = app.open_database(settings)
    await bootstrap_with_key(database, settings)
    account = await open_account(database, "Bench")
    async with database.write() as tx:
        await catalog.set_tier(tx, account.project, "test", PLAN, [TierLimit(_PLENTY)])
        two = [TierLimit(_PLENTY), TierLimit(_PLENTY, window=Window.DAY)]
        await catalog.set_tier(tx, account.project, "live", PLAN, two)
        level = [
            TierLimit(_PLENTY, "active_users", Window.HOUR),
            TierLimit(_PLENTY, "requests", Window.DAY),
            TierLimit(_PLENTY, "requests", Window.MONTH),
        ]
        await catalog.set_level(tx, "live", 9, level, "Bench")
        await catalog.assign_level(tx, await platforms.find(tx, account.project.platform_id), 9, "live")
    await database.close()
    return Keys(account.secret["test"], account.secret["live"])


def account(settings: Settings) -> Keys:
    """A fresh platform in a database that is prepared for it."""
    return asyncio.run(_account(settings))


@contextlib.contextmanager
def constant_answer() -> Iterator[str]:
    """The yardstick: a bare ASGI application on uvicorn; answers its address."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.constant", str(port)])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def start_seconds(settings: Settings) -> float:
    """From the command to the first ready answer, on a migrated database; the best of three."""
    taken: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        with Server(settings):
            taken.append(time.perf_counter() - began)
    return min(taken)


def idle_megabytes(server: Server) -> float:
    time.sleep(1)
    return psutil.Process(server.pid).memory_info().rss / 1e6
