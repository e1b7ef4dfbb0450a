"""Schema migrations: upgrades a database to the newest revision, and rejects one with an unknown revision."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from dream_api.core.db import files, sqlite
from dream_api.core.db.columns import metadata
from dream_api.core.db.database import Database
from dream_api.core.db.driver_errors import error_for
from dream_api.core.db.errors import DatabaseDamaged, DatabaseEmpty, ForeignSchema, ReferencesBroken
from dream_api.core.db.postgresql import engine_for
from dream_api.core.errors import StorageUnavailable

# Any number, the same in every process: PostgreSQL's lock under which one process migrates while others wait.
_ADVISORY_LOCK = 7_236_401
_NAMED = 3


def revisions(folder: Path) -> Sequence[str]:
    """Every revision among the folder's `versions`, oldest first; files are named `<revision>_<what>.py`."""
    return sorted(path.name.split("_")[0] for path in (folder / "versions").glob("[0-9]*.py"))


def head_revision(folder: Path) -> str:
    """The newest revision of the folder."""
    return revisions(folder)[-1]


async def current_revision(database: Database) -> str | None:
    """The revision the database is at; None where there is no instance in it yet.

    DatabaseUnusable where it is damaged, empty or missing, or holds another schema.
    """
    if database.path is not None and not files.exists(database.path):
        return None
    try:
        async with database.read() as tx:
            at = await tx.connection.run_sync(_revision_of)
    except StorageUnavailable as problem:
        if not database.is_damaged:
            raise
        raise DatabaseDamaged("The database is damaged.") from problem
    if at is None and database.path is not None:
        raise DatabaseEmpty(database.path)
    return at


def _revision_of(connection: Connection) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if tables and "alembic_version" not in tables:
        raise ForeignSchema("The database contains tables, but none of them belong to dream-api.")
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if tables else None


def _require_all_tables(connection: Connection) -> None:
    missing = sorted(metadata.tables.keys() - set(inspect(connection).get_table_names()))
    if missing:
        raise DatabaseDamaged(f"Tables are missing in the database: {_listed(missing)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


async def migrate(database: Database, folder: Path) -> bool:
    """Bring the database to the folder's newest revision; whether there was anything to do.

    Raises DatabaseUnusable where it cannot be: the database then is as it was.
    """
    at = await current_revision(database)
    if database.path is not None:
        files.protect(database.path)
    if at == head_revision(folder):
        async with database.read() as tx:
            await tx.connection.run_sync(_require_all_tables)
        return False
    if database.path is not None and at is None:
        await files.create(database.path, partial(_create, folder))
        return True
    _require_known_revision(at, folder)
    await _upgrade_on(_engine_without_limits(database), folder)
    return True


async def _create(folder: Path, path: Path) -> None:
    sqlite.connect(path).close()
    await _upgrade_on(sqlite.migrating_engine(path), folder)


def _engine_without_limits(database: Database) -> AsyncEngine:
    if database.path is not None:
        return sqlite.migrating_engine(database.path)
    return engine_for(database.url or "", command_seconds=None)


async def _upgrade_on(engine: AsyncEngine, folder: Path) -> None:
    """In one transaction, on a connection that is used for nothing else."""
    try:
        async with engine.connect() as connection, connection.begin():
            await connection.run_sync(_upgrade, folder)
    except DBAPIError as problem:
        error = error_for(problem)
        if error is None:
            raise
        raise error from problem
    finally:
        await engine.dispose()


def _require_known_revision(at: str | None, folder: Path) -> None:
    if at is not None and at not in revisions(folder):
        raise ForeignSchema(
            f"The database is at revision {at}, but this release only supports revisions up to "
            f"{head_revision(folder)}. "
            "Use the release that wrote it, or a newer one."
        )


def _upgrade(connection: Connection, folder: Path) -> None:
    # Alembic takes a fifth of a second to import and is needed only here.
    from alembic import command  # noqa: PLC0415

    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.execute(text("SET LOCAL lock_timeout = 0"))  # wait for another process's migration, however long
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    command.upgrade(config(folder, connection), "head")
    _require_all_tables(connection)
    if is_sqlite:
        _require_valid_references(connection)


def _require_valid_references(connection: Connection) -> None:
    """What SQLite does not check while it upgrades: foreign keys are off then, see `sqlite.migrating_engine`."""
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        pairs = sorted({f"{table} to {parent}" for table, _, parent, _ in broken})
        raise ReferencesBroken(
            f"The schema was not upgraded: {len(broken)} rows refer to rows that do not exist ({_listed(pairs)})."
        )


def config(folder: Path, connection: Connection | None = None) -> Any:
    """Alembic's configuration for the folder's migrations."""
    from alembic.config import Config  # noqa: PLC0415

    made = Config()
    made.set_main_option("script_location", str(folder))
    made.attributes["connection"] = connection
    return made
