"""A real server with data of its own, a project of Alice's, and the counts of her customers."""

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
from sqlalchemy import Select, func, select

from dream_api import app, catalog
from dream_api.core.db import Database
from dream_api.core.integrity import run_check
from dream_api.core.settings import Settings
from dream_api.customers.tables import customers
from dream_api.usage.tables import usage_counters, usage_events, usage_hours
from dream_api.usage.windows import Window
from tests.support.instance import Account, bootstrap_with_key, open_account
from tests.support.load.callers import Call, Tally, load
from tests.support.server import Server, environment

# What the tier `small` allows; `free`, the default one, allows any number.
SMALL_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Counted:
    """What the tables say of one customer."""

    life: int = 0
    period: int = 0
    hours: int = 0
    calls: int = 0
    rows: int = 0


class Served:
    """Alice's project behind one server or several of them, all on the same database."""

    def __init__(self, settings: Settings, alice: Account, *, servers: int = 1, **more: Any) -> None:
        self.settings = settings
        self.alice = alice
        self.servers = [Server(settings, **more) for _ in range(servers)]

    @property
    def server(self) -> Server:
        return self.servers[0]

    def start(self) -> None:
        for server in self.servers:
            server.start()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    async def call(self, *calls: Call, connections: int = 32, server: int = 0, **more: Any) -> Tally:
        token = self.alice.secret["test"]
        return await load(self.servers[server].port, token, calls, connections=connections, **more)

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=self.server.url, headers=self.alice.sk, timeout=20) as api:
            yield api

    async def usage_of(self, user: str, plan: str | None = None) -> int:
        """The count as `GET /api/usage` tells it."""
        headers = {"X-User-Id": user} | ({"X-User-Plan": plan} if plan is not None else {})
        async with self.api() as api:
            answer = await api.get("/api/usage", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]["count"]

    async def counted(self) -> dict[str, Counted]:
        """What the tables say of each of Alice's customers, by user id."""
        c, h = usage_counters.c, usage_hours.c
        async with _opened(self.settings) as database, database.read() as tx:
            lives = dict(await tx.all(self._of_users(c.count).where(c.window == Window.LIFE)))
            periods = dict(await tx.all(self._of_users(c.count).where(c.window == Window.PERIOD)))
            hours = dict(await tx.all(self._of_users(h.total)))
            calls = dict(await tx.all(self._of_users(h.calls)))
            rows = dict(
                await tx.all(
                    select(customers.c.user_id, func.count())
                    .where(customers.c.platform_no == self.alice.project.platform_no)
                    .group_by(customers.c.user_id)
                )
            )
        numbers = (lives, periods, hours, calls, rows)
        return {user: Counted(*(int(kind.get(user, 0)) for kind in numbers)) for user in rows}

    async def events(self) -> int:
        """How many keyed calls are remembered."""
        async with _opened(self.settings) as database, database.read() as tx:
            return await tx.scalar(select(func.count()).select_from(usage_events))

    def _of_users(self, number: Any) -> Select[Any]:
        table = number.table
        return (
            select(customers.c.user_id, func.sum(number))
            .select_from(customers)
            .join(table, (table.c.platform_no == customers.c.platform_no) & (table.c.customer_no == customers.c.no))
            .where(customers.c.platform_no == self.alice.project.platform_no)
            .group_by(customers.c.user_id)
        )

    async def recovered(self, seconds: float = 10.0) -> float:
        """Seconds until `/readyz` says 200 and calls are counted again; fails where that takes too long."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if await self._is_ready():
                counted = await self.call(Call("patient"), connections=1)
                if counted.answers.keys() == {(200, "")}:
                    return time.monotonic() - began
            await asyncio.sleep(0.02)
        raise AssertionError(f"Calls are not counted again after {seconds} s.")

    async def _is_ready(self) -> bool:
        try:
            async with self.api() as api:
                return (await api.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def contradictions(self) -> dict[str, Any]:
        """What `doctor` finds, by the name of the check; nothing where all is well."""
        async with _opened(self.settings) as database:
            findings = [await run_check(database, check) for check in app.integrity_checks()]
        return {finding.check.name: finding.contradictions for finding in findings if not finding.holds}

    def doctor(self) -> dict[str, Any]:
        """What `dream-api doctor --json` tells an operator."""
        command = [sys.executable, "-m", "dream_api", "doctor", "--json"]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=60, env=environment(self.settings)
        )
        told = json.loads(done.stdout)
        assert done.returncode == (0 if told["holds"] else 1), done.stderr
        return told


async def found(settings: Settings) -> Account:
    """Prepare the database as `serve` does, and open Alice's account with the tiers `free` and `small`."""
    async with _opened(settings) as database:
        await bootstrap_with_key(database, settings)
        alice = await open_account(database, "Alice")
        async with database.write() as tx:
            await catalog.set_tier(tx, alice.project, "test", "free", [catalog.TierLimit(None)])
            await catalog.set_tier(tx, alice.project, "test", "small", [catalog.TierLimit(SMALL_LIMIT)])
    return alice


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    database = app.open_database(settings)
    try:
        yield database
    finally:
        await database.close()


def from_environment() -> dict[str, str]:
    """Which machine and versions a measurement is from; nothing that names the machine."""
    cpu = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = models[0] if models else cpu
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "CPU": f"{cpu}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }
