"""What the rows of a call cost without HTTP: the same statements in the same transactions, batch after batch."""

import asyncio
import random
import tempfile
import time
from pathlib import Path

from tests.support.instance import bootstrap_with_key, open_account

from dream_api import app, usage
from dream_api.core import clock
from dream_api.core.settings import Settings

BATCH = 32


async def _microseconds(users: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        database = app.open_database(settings)
        await bootstrap_with_key(database, settings)
        account = await open_account(database, "Bench")
        month = usage.Period(*clock.month_of(clock.now()))
        limit = usage.CurrentLimit(usage.Window.PERIOD, "hard", 10**12, month.starts_at, month.ends_at)
        hour = clock.hour_of(clock.now())

        def call(customer: int) -> usage.Call:
            life = (account.project.platform_no, customer, 1)
            return usage.Call((usage.Increment(life, 1, (limit,), hour, month.starts_at),))

        for start in range(0, users, 500):  # everybody has been here before
            calls = [call(no) for no in range(start + 1, min(start + 500, users) + 1)]
            async with database.batch() as tx:
                await usage.count(tx, calls, lambda place, verdict: "")
        counted, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            calls = [call(random.randint(1, users)) for _ in range(BATCH)]
            async with database.batch() as tx:
                await usage.count(tx, calls, lambda place, verdict: "")
            counted += BATCH
        spent = time.perf_counter() - began
        await database.close()
    return spent / counted * 1e6


def microseconds(users: int, seconds: float) -> float:
    """Wall time of one call's rows on SQLite, its share of the synced commit included."""
    return asyncio.run(_microseconds(users, seconds))
