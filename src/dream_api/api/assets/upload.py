"""`POST /upload-asset` and `POST /api/assets`: file uploads."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import assets, platforms
from dream_api.api.assets.models import ASSET_EXAMPLE, FILE, KeptAsset, asset_response
from dream_api.api.assets.multipart import is_multipart, read_form_file
from dream_api.assets import Asset, AssetTooLarge, StorageFull, Upload
from dream_api.auth.dependencies import CanSell, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.core.db import Database, Row
from dream_api.core.errors import MalformedRequest, StorageUnavailable, TooLarge, ValidationFailed
from dream_api.core.http import error_responses, idempotent_external_call, read_body, read_chunks
from dream_api.core.http.dependencies import Db, ObjectsDep, SettingsDep
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.core.objects import ObjectStore
from dream_api.core.settings import Settings

router = APIRouter(tags=["Assets"])

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
_TAKES: dict[str, Any] = {
    "status_code": 201,
    "response_model": KeptAsset,
    "responses": {
        201: {"content": {"application/json": {"example": ASSET_EXAMPLE}}},
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            AssetTooLarge,
            StorageFull,
            IdempotencyInProgress,
            IdempotencyMismatch,
            MalformedRequest,
            StorageUnavailable,
            ValidationFailed,
        ),
    },
    "openapi_extra": _BODY,
}
Name = Annotated[str, Query(max_length=255, description="What the file is called, where the body is the file itself.")]


@router.post("/upload-asset", summary="Upload a file", **_TAKES)
async def upload_asset(
    request: Request,
    db: Db,
    settings: SettingsDep,
    objects: ObjectsDep,
    acting: CanSell,
    name: Name = "",
    _: IdempotencyKey = None,
) -> Response:
    """The file as the body, or the first one of a form. Its type is decided by its bytes."""
    return await _store_upload(request, db, settings, objects, acting, name)


@router.post("/api/assets", summary="Keep a file", **_TAKES)
async def create_asset(
    request: Request,
    db: Db,
    settings: SettingsDep,
    objects: ObjectsDep,
    acting: CanSell,
    name: Name = "",
    _: IdempotencyKey = None,
) -> Response:
    """As `POST /upload-asset`, for servers."""
    return await _store_upload(request, db, settings, objects, acting, name)


async def _store_upload(
    request: Request, db: Database, settings: Settings, objects: ObjectStore, acting: ProjectPrincipal, name: str
) -> Response:
    limit = settings.asset_limit
    try:
        upload = await _read_upload(request, limit + _AROUND, name)
    except TooLarge:
        raise AssetTooLarge(f"The file is too large; at most {limit:,} bytes are kept.") from None
    # In a thread: the digest of a large file takes long, and other requests wait for the event loop.
    asset = await asyncio.to_thread(assets.draft, upload, limit)

    async def effect(_: str | None) -> KeptAsset:
        row = await _save(db, settings, objects, acting, asset)
        return asset_response(row, settings.link_base)

    return await idempotent_external_call(
        request,
        platform_id=acting.platform_id,
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


def _identity(request: Request, upload: Upload, asset: Asset) -> bytes:
    """What makes two requests with one idempotency key the same: of a form its file, for the boundary is random."""
    is_form = is_multipart(request.headers.get("content-type"))
    return upload.name.encode(errors="replace") + b"\0" + asset.digest if is_form else upload.content


async def _save(
    db: Database, settings: Settings, objects: ObjectStore, acting: ProjectPrincipal, asset: Asset
) -> Row[Any]:
    """Refused before the bytes are stored where that is known; of two at once the later one is refused after."""
    database, quota = db, settings.asset_quota
    path = assets.path_of(acting.platform_id, asset.key)
    async with database.read() as tx:
        await assets.require_quota(tx, acting.platform_id, len(asset.content), quota)
    await objects.put(path, asset.content)
    try:
        async with database.write() as tx:
            await platforms.lock_platform(tx, acting.platform_id)
            await assets.require_quota(tx, acting.platform_id, len(asset.content), quota)
            return await assets.save(
                tx, acting.platform_id, acting.project_id, acting.mode, asset, created_by=acting.caller
            )
    except StorageFull:
        await objects.delete(path)
        raise
