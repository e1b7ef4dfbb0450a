"""The object store: local files or S3, with the same guarantees."""

import asyncio
import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from dream_api.core.errors import StorageUnavailable
from dream_api.core.settings import Settings

_FOLDER = "objects"
# Nothing that a file system or a URL could read as something else.
_PATH = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}(/[a-z0-9][a-z0-9_-]{0,127}){0,7}")
_PART_BYTES = 256 * 1024
_SECONDS = timedelta(seconds=10)


class NoSuchObject(LookupError):
    """There is nothing at the path."""


class ObjectStore:
    """Once `put` has returned, the object is stored durably; it is read as a whole or in part.

    StorageUnavailable where the store does not answer; ValueError for an invalid path.
    """

    def __init__(self, open_store: Callable[[], Any], folder: Path | None = None) -> None:
        """Opened when it is first used: the library takes four megabytes, and many instances keep no file.

        `folder`: where a store of local files has them.
        """
        self._open_store = open_store
        self._folder = folder

    @cached_property
    def _store(self) -> Any:
        return self._open_store()

    async def put(self, path: str, content: bytes) -> None:
        """Replaces what was there."""
        try:
            await self._store.put_async(_valid_path(path), content)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / path)
        except _failures() as problem:
            raise _unavailable() from problem

    async def read(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in pieces; NoSuchObject before the first where there are none."""
        try:
            found = await self._store.get_async(_valid_path(path), options={"range": (start, end)})
        except FileNotFoundError:
            raise NoSuchObject(path) from None
        except _failures() as problem:
            raise _unavailable() from problem
        return _pieces(found.stream(min_chunk_size=_PART_BYTES))

    async def delete(self, path: str) -> None:
        """Also where there is nothing."""
        try:
            await self._store.delete_async(_valid_path(path))
        except FileNotFoundError:
            return
        except _failures() as problem:
            raise _unavailable() from problem

    async def delete_below(self, path: str) -> None:
        """All that lies below the path, also where there is nothing."""
        try:
            async for found in self._store.list(_valid_path(path)):
                await self._store.delete_async([one["path"] for one in found])
        except FileNotFoundError:
            return
        except _failures() as problem:
            raise _unavailable() from problem


async def _pieces(stream: AsyncIterable[Any]) -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def _sync(path: Path) -> None:
    """The file and its name are on the disk when this returns."""
    for one in (path, path.parent):
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_object_store(settings: Settings) -> ObjectStore:
    """The store that the settings name; a bucket is opened at once, so that wrong settings are found at the start."""
    if settings.s3_bucket is not None:
        bucket = _open_bucket(settings, settings.s3_bucket)
        return ObjectStore(lambda: bucket)
    folder = (settings.data / _FOLDER).resolve()
    return ObjectStore(partial(_open_folder, folder), folder)


def _open_folder(folder: Path) -> Any:
    """Made where it is missing."""
    from obstore.store import LocalStore  # noqa: PLC0415

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(prefix=folder)


def _open_bucket(settings: Settings, bucket: str) -> Any:
    from obstore.store import S3Store  # noqa: PLC0415

    secret = settings.s3_secret
    endpoint = settings.s3_endpoint
    credentials: dict[str, Any] = {
        "endpoint": endpoint,
        "access_key_id": settings.s3_key_id,
        "secret_access_key": None if secret is None else secret.get_secret_value(),
    }
    return S3Store(
        bucket,
        region=settings.s3_region,
        client_options={"timeout": _SECONDS, "allow_http": (endpoint or "").startswith("http://")},
        retry_config={"max_retries": 2, "retry_timeout": _SECONDS},
        **{name: value for name, value in credentials.items() if value is not None},
    )


def _failures() -> tuple[type[Exception], ...]:
    """What a store raises that does not answer."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    return BaseError, OSError


def _valid_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("This is not a path of an object.")
    return path


def _unavailable() -> StorageUnavailable:
    return StorageUnavailable("The object store does not respond.")
