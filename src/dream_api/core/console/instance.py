"""The instance that commands run on, opened also while a server is running, and their transactions."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rich.console import Console
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from dream_api.core.console.errors import CommandError
from dream_api.core.db import Database, NoInstance, Tx, is_contention, is_database_error
from dream_api.core.db.migrations import current_revision
from dream_api.core.errors import Overloaded, StorageUnavailable
from dream_api.core.integrity import IntegrityCheck
from dream_api.core.secrets import InstanceKey
from dream_api.core.settings import Settings

T = TypeVar("T")

_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class AppModule(Protocol):
    """What commands need of `dream_api.app`, which core does not import."""

    def open_database(self, settings: Settings) -> Database: ...

    async def bootstrap(self, database: Database, settings: Settings) -> bool: ...

    async def find_instance_key(self, tx: Tx, settings: Settings) -> InstanceKey: ...

    async def verify_instance_key(self, database: Database, settings: Settings) -> None: ...

    def integrity_checks(self, settings: Settings | None = None) -> list[IntegrityCheck]: ...


@dataclass(frozen=True)
class Instance:
    """An opened instance, not prepared yet; `console` is silent where the answer is JSON."""

    app: AppModule
    settings: Settings
    database: Database
    console: Console

    async def prepare(self) -> bool:
        """Migrate to this release's schema, and create the initial rows where there are none; whether it did that."""
        with _raise_unreachable(self.settings, OSError):
            return await retry_while_locked(lambda: self.app.bootstrap(self.database, self.settings))

    async def verify_key(self) -> None:
        """Raises InstanceKeyMissing, InstanceKeyWrong where the instance key is not that of the database."""
        await retry_while_locked(lambda: self.app.verify_instance_key(self.database, self.settings))

    @property
    def place(self) -> str:
        """The data directory, or the database without its password."""
        return _place_of(self.settings)

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncGenerator["CommandContext", None]:
        """One transaction of a command."""
        async with self.database.write() if writes else self.database.read() as tx:
            yield CommandContext(tx, self.settings, self.app)


@dataclass(frozen=True)
class CommandContext:
    """The first parameter of a command: its transaction and the settings."""

    tx: Tx
    settings: Settings
    app: AppModule

    async def instance_key(self) -> InstanceKey:
        """Proved to be that of the database; raises InstanceKeyMissing, InstanceKeyWrong."""
        return await self.app.find_instance_key(self.tx, self.settings)


@asynccontextmanager
async def open_instance(
    app: AppModule, settings: Settings, console: Console, *, creates: bool = False
) -> AsyncGenerator[Instance, None]:
    """The instance of these settings; `creates`: also where it does not exist yet, else NoInstance.

    CommandError where its database cannot be reached, DatabaseUnusable where it is damaged.
    """
    with _raise_unreachable(settings, ArgumentError):
        database = app.open_database(settings)
    try:
        if not settings.is_embedded:
            await _reach(settings, database)
        if not creates:
            await _find(settings, database)
        yield Instance(app, settings, database, console)
    finally:
        await database.close()


async def _find(settings: Settings, database: Database) -> None:
    with _raise_unreachable(settings, OSError):
        at = await current_revision(database)
    if at is None:
        raise NoInstance(f"There is no instance in {_place_of(settings)}.")


def _place_of(settings: Settings) -> str:
    if settings.database_url is None:
        return str(settings.data.absolute())
    url = make_url(settings.database_url)
    return f"the database {url.database} on {url.host}"


@contextmanager
def _raise_unreachable(settings: Settings, *kinds: type[Exception]) -> Generator[None, None, None]:
    try:
        yield
    except kinds as problem:
        raise _unreachable(settings, problem) from problem


async def _reach(settings: Settings, database: Database) -> None:
    try:
        await database.ping()
    except StorageUnavailable as error:
        raise _unreachable(settings, error.__cause__ or error) from error
    except Exception as problem:
        if is_database_error(problem):
            raise _unreachable(settings, problem) from problem
        raise


def _unreachable(settings: Settings, problem: BaseException) -> CommandError:
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig is not None else problem
    reason = str(cause.__cause__ or cause).rstrip(".") or type(cause).__name__
    if settings.is_embedded:
        sentence, hint = f"The data directory {settings.data} cannot be used: {reason}.", "See DREAM_DATA."
    else:
        sentence, hint = f"The database cannot be reached: {reason}.", "See DREAM_DATABASE_URL."
    return CommandError(sentence, code=StorageUnavailable.code, hint=hint)


async def retry_while_locked(work: Callable[[], Awaitable[T]]) -> T:
    """Does the work, retried for 5 s while other writers lock the database."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await work()
        except Exception as problem:
            is_busy = isinstance(problem, Overloaded) or is_contention(problem)
            if not is_busy or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
