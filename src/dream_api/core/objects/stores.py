"""The one contract of object stores, kept by local files and by S3."""

import asyncio
import os
import re
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from dream_api.core.errors import StorageUnavailable
from dream_api.core.settings import Settings

_FOLDER = "objects"
# Nothing that a file system or a URL could read as something else.
_PATH = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}(/[a-z0-9][a-z0-9_-]{0,127}){0,7}")
_PART_BYTES = 256 * 1024
_SECONDS = timedelta(seconds=10)


class NoSuchObject(LookupError):
    """There is nothing at the path."""


class Objects:
    """What was put is there, whole, once `put` has returned; it is read as a whole or in part.

    StorageUnavailable where the store does not answer; ValueError for a path that is none.
    """

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        """`folder`: where a store of local files has them."""
        self._store = store
        self._folder = folder

    async def put(self, path: str, content: bytes) -> None:
        """Replaces what was there."""
        try:
            await obstore.put_async(self._store, _proper(path), content)
            if self._folder is not None:
                await asyncio.to_thread(_sync, self._folder / path)
        except (BaseError, OSError) as problem:
            raise _unavailable() from problem

    async def read(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, in pieces; NoSuchObject before the first where there are none."""
        try:
            found = await obstore.get_async(self._store, _proper(path), options={"range": (start, end)})
        except FileNotFoundError:
            raise NoSuchObject(path) from None
        except BaseError as problem:
            raise _unavailable() from problem
        return _pieces(found.stream(min_chunk_size=_PART_BYTES))

    async def delete(self, path: str) -> None:
        """Also where there is nothing."""
        try:
            await obstore.delete_async(self._store, _proper(path))
        except FileNotFoundError:
            return
        except BaseError as problem:
            raise _unavailable() from problem

    async def delete_below(self, path: str) -> None:
        """All that lies below the path, also where there is nothing."""
        try:
            async for found in obstore.list(self._store, _proper(path)):
                await obstore.delete_async(self._store, [one["path"] for one in found])
        except FileNotFoundError:
            return
        except BaseError as problem:
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


def opened(settings: Settings) -> Objects:
    """The store that the settings name; its folder is made where it is missing."""
    if settings.s3_bucket is None:
        folder = (settings.data / _FOLDER).resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Objects(LocalStore(prefix=folder), folder)
    secret = settings.s3_secret
    endpoint = settings.s3_endpoint
    told: dict[str, Any] = {
        "endpoint": endpoint,
        "access_key_id": settings.s3_key_id,
        "secret_access_key": None if secret is None else secret.get_secret_value(),
    }
    store = S3Store(
        settings.s3_bucket,
        region=settings.s3_region,
        client_options={"timeout": _SECONDS, "allow_http": (endpoint or "").startswith("http://")},
        retry_config={"max_retries": 2, "retry_timeout": _SECONDS},
        **{name: value for name, value in told.items() if value is not None},
    )
    return Objects(store)


def _proper(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("This is no path of an object.")
    return path


def _unavailable() -> StorageUnavailable:
    return StorageUnavailable("The object store does not answer.")
