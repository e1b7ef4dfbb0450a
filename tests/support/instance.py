"""An instance in this process, on a fresh database, with its cast of users.

Alice owns a platform with a saas project; Charlie is a stranger with a project of his own, who must see nothing of
hers.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import argon2
import fastapi.dependencies.models
import httpx2 as httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from starlette.types import ASGIApp, Message

from dream_api import accounts, catalog, keys, platforms
from dream_api.accounts import ROLES, OpenedSession, Role
from dream_api.app import bootstrap, create_app, open_database
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.csrf import csrf_token_for
from dream_api.catalog import TierLimit
from dream_api.core.cache import CacheInvalidator
from dream_api.core.db import Database, Tx
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings
from dream_api.gateways import Gateway
from dream_api.gateways.contract import Kind
from dream_api.gateways.sandbox import Sandbox
from dream_api.identity import PasswordHasher
from dream_api.metering import MeteringEngine
from dream_api.platforms import Mode, Platform, Project, ProjectType, RefundLimit

INSTANCE_KEY_HEX = bytes(32).hex()
INSTANCE_KEY = InstanceKey.from_hex(INSTANCE_KEY_HEX)
_KEY_FILE = "instance.key"
# What hashing costs is not what tests are about; one of them looks at the real parameters.
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# The website of everybody's project.
ORIGIN = "https://myapp.com"


def write_instance_key(data: Path) -> None:
    """The key by which the cast's secrets are sealed, as the file of an instance in this directory."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / _KEY_FILE).write_text(f"{INSTANCE_KEY_HEX}\n")


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's project, with the keys of both modes, and the platform's personal tokens."""

    project: Project
    secret: dict[Mode, str]
    publishable: dict[Mode, str]
    key_ids: dict[Mode, str]
    token: dict[Role, str]
    token_ids: dict[Role, str]
    # The platform's members, one of each role, and the texts of their sessions.
    user_ids: dict[Role, str]
    session: dict[Role, str]

    @property
    def sk(self) -> dict[str, str]:
        """Headers of the test mode's server."""
        return bearer(self.secret["test"])

    @property
    def live(self) -> dict[str, str]:
        """Headers of the live mode's server."""
        return bearer(self.secret["live"])

    def by(self, role: Role, mode: Mode = "test") -> dict[str, str]:
        """Headers of a developer of that role, at work in the project."""
        return {**bearer(self.token[role]), "X-Project-Id": self.project.id, "X-Mode": mode}

    def cookie(self, role: Role = "owner") -> dict[str, str]:
        """Headers of a member's browser."""
        return {"Cookie": f"dream_session={self.session[role]}"}

    def at_api(self, role: Role = "owner") -> dict[str, str]:
        """Headers of a call that a page of ours makes in a member's browser, in the project."""
        return {**self.cookie(role), "Sec-Fetch-Site": "same-origin", "X-Project-Id": self.project.id}

    def form(self, role: Role = "owner", **fields: str) -> dict[str, str]:
        """What the member's browser sends of a form that it was shown."""
        return {"csrf": csrf_token_for(self.session[role]), **fields}

    def calls(self, user: str = "ada", **headers: str) -> dict[str, str]:
        """Headers of a metered call."""
        return {**self.sk, "X-User-Id": user, **headers}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Alice and Charlie.
Cast = tuple[Account, Account]


@dataclass(frozen=True, slots=True)
class Instance:
    app: ASGIApp
    settings: Settings
    database: Database
    changes: CacheInvalidator
    authenticator: Authenticator
    metering: MeteringEngine
    api: httpx.AsyncClient
    alice: Account
    charlie: Account

    async def set_limit(self, account: Account, tier: str, limit: int | None, mode: Mode = "test") -> None:
        async with self.database.write() as tx:
            await catalog.set_tier(tx, account.project, mode, tier, [TierLimit(limit)])
        await self.changes.poll()

    async def set_limits(self, account: Account, tier: str, *limits: TierLimit, mode: Mode = "test") -> None:
        async with self.database.write() as tx:
            await catalog.set_tier(tx, account.project, mode, tier, limits)
        await self.changes.poll()

    async def set_level(self, number: int, *limits: TierLimit, mode: Mode = "live") -> None:
        """A level of the instance."""
        async with self.database.write() as tx:
            await catalog.set_level(tx, mode, number, limits, None)
        await self.changes.poll()

    async def assign(self, account: Account, level: int, mode: Mode = "live") -> None:
        """Put the account's platform on a level."""
        async with self.database.write() as tx:
            await catalog.assign_level(tx, await platforms.find(tx, account.project.platform_id), level, mode)
        await self.changes.poll()

    async def usage_of(self, account: Account, user: str = "ada") -> dict[str, Any]:
        answer = await self.api.get("/api/usage", headers=account.calls(user))
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]


async def bootstrap_with_key(database: Database, settings: Settings) -> None:
    """Create the instance, with the key that seals the cast's secrets."""
    await bootstrap(database, settings.model_copy(update={"instance_key": SecretStr(INSTANCE_KEY_HEX)}))
    write_instance_key(settings.data)


async def open_account(
    database: Database, name: str, project_type: ProjectType = "saas", level: int | None = 3
) -> Account:
    """A platform of that name with a project of both modes."""
    async with database.write() as tx:
        platform = await platforms.create(tx, name)
        if level is not None:
            for mode in platforms.MODES:
                await catalog.assign_level(tx, platform, level, mode)
        return await open_account_on(tx, platform, name, project_type)


async def open_account_on(tx: Tx, platform: Platform, name: str, project_type: ProjectType = "saas") -> Account:
    """A project of both modes on a platform, with one member and one token of each role."""
    tokens = {role: await accounts.issue_token(tx, platform.no, role, created_by="test") for role in ROLES}
    users = {role: await _join(tx, platform, name, role) for role in ROLES}
    return await _open_project(
        tx,
        platform,
        name,
        project_type,
        token={role: issued.token for role, issued in tokens.items()},
        token_ids={role: issued.id for role, issued in tokens.items()},
        user_ids={role: user_id for role, (user_id, _) in users.items()},
        session={role: opened.token for role, (_, opened) in users.items()},
    )


async def _join(tx: Tx, platform: Platform, name: str, role: Role) -> tuple[str, OpenedSession]:
    """`Alice` herself owns her platform; her admin is `alice-admin@example.com`."""
    local = "-".join([*name.lower().split(), *([] if role == "owner" else [role])])
    if await accounts.find_user_by_email(tx, f"{local}@example.com") is not None:
        local = f"{local}-{platform.no}"  # a namesake
    user = await accounts.create_user(tx, f"{local}@example.com", local.title(), verified=True)
    await platforms.add_member(tx, platform.no, user.id, role)
    return user.id, await accounts.open_session(tx, user.id, address="127.0.0.1", agent="test")


async def open_store(database: Database, account: Account) -> Account:
    """A store of the same platform, with the same refund limit."""
    async with database.write() as tx:
        platform = await platforms.find(tx, account.project.platform_id)
        opened = await _open_project(tx, platform, "Store", "store", **_people(account))
        limited = await platforms.change_project(tx, opened.project, refund_limit=account.project.refund_limit)
        return replace(opened, project=limited)


async def open_another(database: Database, account: Account, refund_limit: RefundLimit | None = None) -> Account:
    """Another saas project of the same platform."""
    async with database.write() as tx:
        platform = await platforms.find(tx, account.project.platform_id)
        opened = await _open_project(tx, platform, "Another", "saas", **_people(account))
        limited = await platforms.change_project(tx, opened.project, refund_limit=refund_limit)
        return replace(opened, project=limited)


def _people(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in ("token", "token_ids", "user_ids", "session")}


async def _open_project(tx: Tx, platform: Platform, name: str, project_type: ProjectType, **people: Any) -> Account:
    project = await catalog.create_project_with_defaults(tx, platform, name, project_type, platforms.MODES)
    project = await platforms.change_origins(tx, project, add=[ORIGIN])
    made = {
        mode: await keys.issue_pair(tx, project, mode, instance_key=INSTANCE_KEY, created_by="test")
        for mode in platforms.MODES
    }
    return Account(
        project,
        secret={mode: pair[1].token for mode, pair in made.items()},
        publishable={mode: pair[0].token for mode, pair in made.items()},
        key_ids={mode: pair[1].id for mode, pair in made.items()},
        **people,
    )


@asynccontextmanager
async def living(app: ASGIApp) -> AsyncIterator[None]:
    """Runs the application's start and stop, as a server does."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "state": {}}, told.get, heard.put))

    async def phase(name: str) -> None:
        await told.put({"type": f"lifespan.{name}"})
        hearing = asyncio.create_task(heard.get())
        await asyncio.wait([hearing, running], return_when=asyncio.FIRST_COMPLETED)
        if not hearing.done():
            hearing.cancel()
            await running
        assert hearing.result()["type"] == f"lifespan.{name}.complete", hearing.result()

    await phase("startup")
    try:
        yield
    finally:
        await phase("shutdown")
        await running


@asynccontextmanager
async def open_instance(
    settings: Settings, gateway: type[Sandbox] = Sandbox, cast: Cast | None = None, *, works: bool = False
) -> AsyncIterator[Instance]:
    """`gateway`: another kind of sandbox, for tests of what is asked of it. `cast`: those who are in the database
    already; without it they move in. `works`: jobs run in it, where the settings say so; otherwise none does, whatever
    they say: a test that moves the clock would be raced by all that becomes due."""

    def gateways(_: Settings, database: Database) -> dict[Kind, Gateway]:
        return {"sandbox": gateway(database, settings.link_base)}

    front = create_app(settings if works else settings.model_copy(update={"workers": "outside"}), gateways)
    state = front.state
    state.passwords = PasswordHasher(QUICK)
    async with (
        living(front),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=front, client=("127.0.0.1", 1)), base_url="http://dream.test"
        ) as api,
    ):
        alice, charlie = cast or [await open_account(state.database, name) for name in ("Alice", "Charlie")]
        await state.changes.poll()  # what was changed so far makes it forget nothing later
        yield Instance(
            front, settings, state.database, state.changes, state.authenticator, state.metering, api, alice, charlie
        )
    _forget_applications()


async def open_cast(settings: Settings) -> Cast:
    """Lets the cast move into a instance, which has done what a first start has to do when this returns."""
    database = open_database(settings)
    await bootstrap(database, settings)  # as a server does before anything else
    await database.close()
    async with open_instance(settings, works=True) as instance:
        while settings.runs_jobs_inside and not await _has_rested(instance.database):
            await asyncio.sleep(0.02)
        return instance.alice, instance.charlie


async def _has_rested(database: Database) -> bool:
    """What is done at regular times was done for the first time."""
    async with database.read() as tx:
        begun = await tx.scalar(sa.text("SELECT count(*) FROM schedules"))
        left = await tx.scalar(sa.text("SELECT count(*) FROM jobs"))
    return begun > 0 and left == 0


def _forget_applications() -> None:
    """FastAPI remembers what kind of function each endpoint is, and with those that an application makes for itself
    the whole instance: a gigabyte after a thousand of them, and a collector that stops the world for seconds."""
    for remembering in vars(fastapi.dependencies.models).values():
        if hasattr(remembering, "cache_clear"):
            remembering.cache_clear()


@pytest.fixture
async def instance(database_settings: Settings, cast: Cast) -> AsyncIterator[Instance]:
    async with open_instance(database_settings, cast=cast) as opened:
        yield opened


@pytest.fixture
def api(instance: Instance) -> httpx.AsyncClient:
    return instance.api


@pytest.fixture
def alice(instance: Instance) -> Account:
    return instance.alice


@pytest.fixture
def charlie(instance: Instance) -> Account:
    return instance.charlie
