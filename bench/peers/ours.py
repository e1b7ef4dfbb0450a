"""dream-api as people run it, on SQLite; and the yardstick, a constant answer on the same server software."""

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from tests.support.instance import bootstrap_with_key, open_account
from tests.support.postgres import free_port
from tests.support.server import Server

from bench.peers.peer import LIMITS, Peer, running
from dream_api import app, catalog
from dream_api.core.settings import Settings
from dream_api.usage import Window

NAME = "dream-api"
CONSTANT = "constant answer (bare ASGI on uvicorn)"
COUNTS = "period and life counts of the user, the hour, the customer"
DURABILITY = "synced (WAL, synchronous=FULL)"


@contextlib.contextmanager
def started(folder: Path) -> Iterator[list[Peer]]:
    """`dream-api serve`, whole."""
    settings = Settings(data=folder / "data", log_level="warning")
    key = asyncio.run(prepare(settings))
    with Server(settings) as server:
        process = psutil.Process(server.pid)
        yield [
            Peer(NAME, f"{server.url}/api/data", [process], stored_in(settings.data), COUNTS, DURABILITY, key=key),
        ]


@contextlib.contextmanager
def constant(folder: Path) -> Iterator[list[Peer]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/data"
    with running([sys.executable, "-m", "bench.constant", str(port)], url, folder) as process:
        yield [Peer(CONSTANT, url, [process], None)]


async def prepare(settings: Settings) -> str:
    """A database with a project and both plans; the secret key."""
    database = app.open_database(settings)
    await bootstrap_with_key(database, settings)
    account = await open_account(database, "Bench")
    async with database.write() as tx:
        for plan, limit in LIMITS.items():
            await catalog.set_tier(tx, account.project, "test", plan, [catalog.TierLimit(limit)])
    await database.close()
    return account.secret["test"]


def stored_in(data: Path):
    """Sums what customers have used for ever, past the server."""

    def total() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{data / 'dream.db'}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute(
                'SELECT coalesce(sum("count"), 0) FROM usage_counters WHERE "window" = ? AND customer_no > 0',
                (int(Window.LIFE),),
            ).fetchone()
        return count

    return total
