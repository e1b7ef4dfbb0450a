"""The file of the embedded database: checks, creation, and removal of its write-ahead log."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from urllib.parse import quote

from dream_api.core.db.errors import DatabaseDamaged, DatabaseEmpty, DatabaseMissing

# What only an instance leaves next to its database. The instance key is created after the database.
_TRACES = ("dream.db-wal", "instance.key", "objects")
_LOG = "-wal"
_SHARED_MEMORY = "-shm"
_WAIT_SECONDS = 5.0
# Only the server's own user reads what is in it. SQLite gives its log and shared memory the same mode.
_MODE = 0o600


def exists(path: Path) -> bool:
    """Whether there is a database file; DatabaseUnusable where it has no content, or is gone from its instance."""
    # Not opened but looked at: closing a file ends every lock that SQLite holds on it in this process. And of a file
    # without content SQLite would delete the log, which may hold everything.
    try:
        is_empty = path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        _require_never_created(path)
        return False
    if is_empty:
        raise DatabaseEmpty(path)
    if not _with_suffix(path, _LOG).exists():
        _require_readable(path)
    return True


def _require_readable(path: Path) -> None:
    """Nobody has it open, and this look leaves no file behind, as that of a usual reader would."""
    try:
        _read_schema(path, "mode=ro&immutable=1")
    except sqlite3.OperationalError:
        return  # it cannot be opened, as the next reader will report
    except sqlite3.DatabaseError as problem:
        raise DatabaseDamaged(f"The database {path.absolute()} is damaged: {problem}.") from problem


def _require_never_created(path: Path) -> None:
    for name in _TRACES:
        if (path.parent / name).exists():
            raise DatabaseMissing(path, name)


async def create(path: Path, fill: Callable[[Path], Awaitable[None]]) -> None:
    """Create the database by `fill`, under another name until it is whole; nothing where another process was first.

    A process that is killed meanwhile leaves no file of this name, and the next start begins again.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    async with _locked(path.parent):
        if exists(path):
            return
        _remove(draft)
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))
        await fill(draft)
        if _with_suffix(draft, _LOG).exists():
            raise OSError(f"the log of {draft.name} could not be copied into it")
        _sync(draft)
        draft.rename(path)
        _sync(path.parent)


@asynccontextmanager
async def _locked(directory: Path) -> AsyncGenerator[None, None]:
    """One process at a time; the system unlocks when the process ends, however it ends."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def protect(path: Path) -> None:
    """Take the database from all other users of the machine; earlier releases let them read it."""
    for suffix in ("", _LOG, _SHARED_MEMORY):
        with suppress(OSError):  # not there, or somebody else's
            _with_suffix(path, suffix).chmod(_MODE)


def _remove(draft: Path) -> None:
    for suffix in ("", _LOG, _SHARED_MEMORY):
        _with_suffix(draft, suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_log(path: Path) -> None:
    """Copy the log into the file and remove it, where nobody else has the database open.

    SQLite does so when the last connection that may write is closed. Readers cannot, so that one more is opened here.
    While another process has it open, this changes nothing and waits for nobody.
    """
    if not path.exists() or path.stat().st_size == 0 or not _with_suffix(path, _LOG).exists():
        return
    # Whatever stands in the way, such as a full disk: the log keeps everything until the next start.
    with suppress(sqlite3.Error):
        _read_schema(path, "mode=rw")


def _read_schema(path: Path, how: str) -> None:
    """Opens the database, which alone does not yet read the file, and closes it."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=_WAIT_SECONDS)) as connection:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _with_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
