"""Brings a database to this release's schema, and refuses one it does not know."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from dream_api.core.db import sqlite
from dream_api.core.db.database import Database
from dream_api.core.db.postgresql import engine_for
from dream_api.core.db.sqlite import writing_engine

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
# Any number, the same in every process: PostgreSQL's lock under which one process migrates while others wait.
_ADVISORY_LOCK = 7_236_401


class ForeignSchema(Exception):
    """The database was written by another release, or is no database of ours."""


def head() -> str:
    """The newest revision this release knows; files are named `<revision>_<what>.py`."""
    return max(path.name.split("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


async def current(database: Database) -> str | None:
    """The revision the database is at; None where it is empty."""
    async with database.read() as tx:
        return await tx.connection.run_sync(_revision_of)


def _revision_of(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if tables:
        raise ForeignSchema("This database holds tables, but none of them are dream-api's.")
    return None


async def migrate(database: Database) -> bool:
    """Bring the database to this release's schema; whether there was anything to do.

    Raises ForeignSchema where the database was written by a newer release.
    """
    if database.path is not None and not database.path.exists():
        sqlite.connect(database.path).close()
    at = await current(database)
    if at == head():
        return False
    _refuse_unknown(at)
    engine = _engine_without_limits(database)
    try:
        async with engine.connect() as connection, connection.begin():
            if not database.is_sqlite:
                await connection.execute(text("SET LOCAL lock_timeout = 0"))  # however long another process migrates
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
    return True


def _engine_without_limits(database: Database) -> AsyncEngine:
    if database.path is not None:
        return writing_engine(database.path)
    return engine_for(database.url or "", command_seconds=None)


def _refuse_unknown(at: str | None) -> None:
    known = {path.name.split("_")[0] for path in _VERSIONS.glob("[0-9]*.py")}
    if at is not None and at not in known:
        raise ForeignSchema(
            f"The database is at revision {at}, this release knows up to {head()}. "
            "Start the release that wrote it, or a newer one."
        )


def _upgrade(connection: Connection) -> None:
    # Alembic takes a fifth of a second to import and is needed only here.
    from alembic import command  # noqa: PLC0415

    command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Any:
    """Alembic's configuration for this product's migrations."""
    from alembic.config import Config  # noqa: PLC0415

    made = Config()
    made.set_main_option("script_location", str(_VERSIONS.parent))
    made.attributes["connection"] = connection
    return made
