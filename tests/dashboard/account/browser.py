"""Somebody at a browser: keeps cookies, sends the forms of the pages it was shown, and reads the letters it gets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from sqlalchemy import delete, event, select

from dream_api import accounts, audit
from dream_api.app import build_job_registry
from dream_api.core.jobs import Job
from dream_api.core.jobs.tables import jobs
from dream_api.core.mail.tables import mails
from tests.support.instance import Instance

# What is asked four times a second, whoever comes.
_WATCHING = ("FROM changes", "julianday", "clock_timestamp", "BEGIN")
PASSWORD = "a tin of green paint"


class Browser:
    """Asks as browsers do; `send` opens the page of the form first."""

    def __init__(self, instance: Instance, cookies: dict[str, str] | None = None) -> None:
        self.instance = instance
        transport = httpx.ASGITransport(app=instance.app, client=("127.0.0.1", 1))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://dream.test", cookies=cookies)

    @property
    def session(self) -> str | None:
        return self.http.cookies.get("dream_session")

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def csrf(self, path: str) -> str:
        page = await self.get(path)
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert found is not None, f"{path}: {page.status_code} has no form"
        return found[1]

    async def send(self, path: str, *, on: str | None = None, **fields: str) -> httpx.Response:
        """The form with this address, filled in, of the page `on` (or of its own address)."""
        csrf = await self.csrf(on or path)
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await self.http.post(path, data={"csrf": csrf, **fields}, headers=headers)

    async def sign_up(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.send("/account/sign-up", email=email, password=password, **fields)

    async def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.send("/account/sign-in", email=email, password=password, **fields)


async def work_off(instance: Instance) -> None:
    """Does what waits to be done, as a worker would."""
    state: Any = instance.app.state  # pyright: ignore
    registry = build_job_registry(instance.settings, state.billing)
    while True:
        async with instance.database.read() as tx:
            row = await tx.first(select(jobs).where(jobs.c.died_at.is_(None)).order_by(jobs.c.id).limit(1))
        if row is None:
            return
        await registry.handler(row.kind)(instance.database, Job(row.id, row.kind, row.platform_no, row.payload, 1))
        async with instance.database.write() as tx:
            await tx.execute(delete(jobs).where(jobs.c.id == row.id))


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str

    @property
    def path(self) -> str:
        """Of the link in it."""
        found = re.search(r"http://127\.0\.0\.1:8787(/account/\w+/\S+)", self.text)
        assert found is not None, self.text
        return found[1]


async def letters(instance: Instance) -> list[Mail]:
    """All that were written so far, the oldest first, read from the outbox."""
    await work_off(instance)
    async with instance.database.read() as tx:
        rows = await tx.all(select(mails).order_by(mails.c.id))
    return [Mail(row.to, row.subject, row.text) for row in rows]


async def recorded(instance: Instance, email: str) -> list[str]:
    """The actions in the person's own security log, the newest first."""
    await work_off(instance)
    async with instance.database.read() as tx:
        user = await accounts.find_user_by_email(tx, email)
        assert user is not None
        return [entry.action for entry in await audit.list_entries(tx, audit.Stream(user.id), limit=100)]


@contextmanager
def counted(instance: Instance) -> Iterator[dict[str, Any]]:
    """What is asked of the database, and how often a password is hashed."""
    told: dict[str, Any] = {"statements": [], "hashes": 0}
    passwords: Any = instance.app.state.passwords  # pyright: ignore
    work = passwords._work

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not any(mark in statement for mark in _WATCHING):
            told["statements"].append(" ".join(statement.split()))

    async def count(*given: Any) -> Any:
        told["hashes"] += 1
        return await work(*given)

    engines = {instance.database._writing.sync_engine, instance.database._reading.sync_engine}
    passwords._work = count
    for engine in engines:
        event.listen(engine, "before_cursor_execute", hear)
    yield told
    del passwords._work
    for engine in engines:
        event.remove(engine, "before_cursor_execute", hear)
