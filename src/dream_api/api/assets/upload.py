"""`POST /api/assets` and `POST /upload-asset`: file uploads."""

import asyncio
from typing import Annotated, Any

from fastapi import Query, Request

from dream_api import assets, platforms
from dream_api.api.assets.models import FILE, Asset, to_asset
from dream_api.api.assets.multipart import is_multipart, read_form_file
from dream_api.api.endpoint import Endpoints
from dream_api.assets import AssetTooLarge, StorageFull, Upload
from dream_api.auth.dependencies import CanSell, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.core.db import Database, Row
from dream_api.core.errors import MalformedRequest, StorageUnavailable, TooLarge, ValidationFailed
from dream_api.core.http import (
    IDEMPOTENCY_ERRORS,
    ModelResponse,
    idempotent_external_call,
    read_body,
    read_chunks,
)
from dream_api.core.http.dependencies import Db, ObjectsDep, SettingsDep
from dream_api.core.objects import ObjectStore
from dream_api.core.settings import Settings

endpoints = Endpoints("Assets")

# What a form needs in addition to its file.
_AROUND = 16_384
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": FILE},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": FILE}, "required": ["file"]},
            },
        },
    }
}
_ERRORS = (
    *IDEMPOTENCY_ERRORS,
    AssetTooLarge,
    StorageFull,
    MalformedRequest,
    StorageUnavailable,
    ValidationFailed,
)
_Name = Annotated[str, Query(max_length=255, description="The file's name, if the body is the file itself.")]


@endpoints.post("/upload-asset", "assets.upload", "Upload a file", status=201, errors=_ERRORS, is_listed=False)
@endpoints.post("/api/assets", "assets.create", "Upload a file", status=201, errors=_ERRORS, extra=_BODY)
async def create_asset(
    request: Request,
    db: Db,
    settings: SettingsDep,
    objects: ObjectsDep,
    acting: CanSell,
    name: _Name = "",
    _: IdempotencyKey = None,
) -> ModelResponse[Asset]:
    """The file is the body, or the first file of a form. Its content type is detected from its bytes.

    `POST /upload-asset` does the same.
    """
    return await _store_upload(request, db, settings, objects, acting, name)


async def _store_upload(
    request: Request, db: Database, settings: Settings, objects: ObjectStore, acting: ProjectPrincipal, name: str
) -> ModelResponse[Asset]:
    limit = settings.asset_limit
    try:
        upload = await _read_upload(request, limit + _AROUND, name)
    except TooLarge:
        raise AssetTooLarge(f"The file is too large. The limit is {limit:,} bytes.") from None
    # In a thread: the digest of a large file takes long, and other requests wait for the event loop.
    asset = await asyncio.to_thread(assets.draft, upload, limit)

    async def effect(_: str | None) -> Asset:
        row = await _save(db, settings, objects, acting, asset)
        return to_asset(row, settings.link_base)

    return await idempotent_external_call(
        request,
        platform_no=acting.platform_no,
        caller=acting.caller,
        status=201,
        body=_identity(request, upload, asset),
        effect=effect,
    )


async def _read_upload(request: Request, limit: int, name: str) -> Upload:
    content_type, length = (request.headers.get(header) for header in ("content-type", "content-length"))
    if content_type is not None and is_multipart(content_type):
        return await read_form_file(content_type, read_chunks(request.receive, length, limit))
    return Upload(await read_body(request.receive, length, limit), name)


def _identity(request: Request, upload: Upload, asset: assets.Asset) -> bytes:
    """What makes two requests with one idempotency key the same: of a form its file, for the boundary is random."""
    is_form = is_multipart(request.headers.get("content-type"))
    return upload.name.encode(errors="replace") + b"\0" + asset.digest if is_form else upload.content


async def _save(
    db: Database, settings: Settings, objects: ObjectStore, acting: ProjectPrincipal, asset: assets.Asset
) -> Row[Any]:
    """Refused before the bytes are stored where that is known; of two at once the later one is refused after."""
    database, quota = db, settings.asset_quota
    path = assets.path_of(acting.platform_id, asset.key)
    async with database.read() as tx:
        await assets.require_quota(tx, acting.platform_no, len(asset.content), quota)
    await objects.put(path, asset.content)
    try:
        async with database.write() as tx:
            await platforms.lock_platform(tx, acting.platform_no)
            await assets.require_quota(tx, acting.platform_no, len(asset.content), quota)
            return await assets.save(
                tx, acting.platform_no, acting.project_id, acting.mode, asset, created_by=acting.caller
            )
    except StorageFull:
        await objects.delete(path)
        raise
