"""`POST /upload-asset` and `POST /api/assets`: files in."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dream_api import assets, platforms
from dream_api.api.assets.models import ASSET_EXAMPLE, FILE, KeptAsset, asset_response
from dream_api.assets import Asset, AssetTooLarge, StorageFull
from dream_api.auth.dependencies import CanSell, IdempotencyKey
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.core.db import Database, Row
from dream_api.core.errors import MalformedRequest, StorageUnavailable, TooLarge, ValidationFailed
from dream_api.core.http import error_responses, idempotent_external_call, read_body
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
    return await _read_upload(request, db, settings, objects, acting, name)


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
    return await _read_upload(request, db, settings, objects, acting, name)


async def _read_upload(
    request: Request, db: Database, settings: Settings, objects: ObjectStore, acting: ProjectPrincipal, name: str
) -> Response:
    limit = settings.asset_limit
    try:
        body = await read_body(request.receive, request.headers.get("content-length"), limit + _AROUND)
    except TooLarge:
        raise AssetTooLarge(f"The file is too large; at most {limit:,} bytes are kept.") from None
    # In a thread, as other requests wait for the event loop: a large file takes long to look through.
    upload = await asyncio.to_thread(assets.parse_upload, body, request.headers.get("content-type"), name)
    asset = await asyncio.to_thread(assets.draft, upload, limit)

    async def effect(_: str | None) -> KeptAsset:
        row = await _save(db, settings, objects, acting, asset)
        return asset_response(row, settings.link_base)

    return await idempotent_external_call(
        request, platform_id=acting.platform_id, caller=acting.caller, status=201, body=body, effect=effect
    )


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
