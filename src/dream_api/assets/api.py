"""`POST /upload-asset`, `POST /api/assets` and `GET /api/assets/{key}`: files in, and files out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import Row
from starlette.responses import Response, StreamingResponse

from dream_api import assets
from dream_api.assets import AssetTooLarge, RangeNotSatisfiable
from dream_api.core import clock
from dream_api.core.errors import MalformedRequest, NotFound, StorageUnavailable, TooLarge, ValidationFailed
from dream_api.core.http import answer_outside, answers, read
from dream_api.core.idempotency import IdempotencyInProgress, IdempotencyMismatch
from dream_api.core.objects import NoSuchObject, Objects
from dream_api.gate import ACTING_REFUSALS, Acting
from dream_api.gate.faces import IdempotencyKey, Selling, gate_of

router = APIRouter(tags=["Assets"])

# What a form needs beside its file.
_AROUND = 16_384
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


class KeptAsset(BaseModel):
    """A file that was kept."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    key: str
    url: str = Field(description="Where everybody who knows it finds the file; it never changes.")
    content_type: str = Field(description="As the bytes themselves tell.")
    size: int = Field(description="In bytes.")
    name: str
    created_at: str


_SHOWN = {
    "key": "0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
    "url": "http://127.0.0.1:8787/api/assets/0f8fad5bd9cb469fa16570867728950e-9f86d081884c7d65",
    "contentType": "image/png",
    "size": 20480,
    "name": "mug.png",
    "createdAt": "2026-11-21T09:14:00Z",
}
_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _FILE},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": _FILE}, "required": ["file"]},
            },
        },
    }
}
_TAKES: dict[str, Any] = {
    "status_code": 201,
    "response_model": KeptAsset,
    "responses": {
        201: {"content": {"application/json": {"example": _SHOWN}}},
        **answers(
            *ACTING_REFUSALS,
            AssetTooLarge,
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
async def upload_asset(request: Request, acting: Selling, name: Name = "", _: IdempotencyKey = None) -> Response:
    """The file as the body, or the first one of a form. Its type is decided by its bytes."""
    return await _take(request, acting, name)


@router.post("/api/assets", summary="Keep a file", **_TAKES)
async def create_asset(request: Request, acting: Selling, name: Name = "", _: IdempotencyKey = None) -> Response:
    """As `POST /upload-asset`, for servers."""
    return await _take(request, acting, name)


async def _take(request: Request, acting: Acting, name: str) -> Response:
    settings = request.app.state.settings
    limit = settings.asset_limit
    try:
        body = await read(request.receive, request.headers.get("content-length"), limit + _AROUND)
    except TooLarge:
        raise AssetTooLarge(f"The file is too large; at most {limit:,} bytes are kept.") from None
    # Beside the loop, which other requests wait for: a large file takes long to look through.
    upload = await asyncio.to_thread(assets.upload_in, body, request.headers.get("content-type"), name)
    asset = await asyncio.to_thread(assets.draft, upload, limit)

    async def effect(_: str | None) -> KeptAsset:
        await objects_of(request).put(assets.path_of(acting.platform_id, asset.key), asset.content)
        async with gate_of(request).database.write() as tx:
            kept_at = await assets.keep(
                tx, acting.platform_id, acting.project_id, acting.mode, asset, created_by=acting.caller
            )
        return KeptAsset(
            key=asset.key,
            url=f"{settings.link_base}/api/assets/{asset.key}",
            content_type=asset.content_type,
            size=len(asset.content),
            name=asset.name,
            created_at=clock.rfc3339(kept_at),
        )

    return await answer_outside(
        request, platform_id=acting.platform_id, caller=acting.caller, status=201, body=body, effect=effect
    )


def objects_of(request: Request) -> Objects:
    return request.app.state.objects


Key = Annotated[str, Path(description="From the upload's answer.")]


@router.get(
    "/api/assets/{key}",
    summary="Get a file",
    response_class=Response,
    responses={
        200: {"content": {"*/*": {"schema": _FILE}}, "description": "The file."},
        206: {"content": {"*/*": {"schema": _FILE}}, "description": "The bytes that were asked for."},
        304: {"description": "It is the one that If-None-Match names."},
        **answers(NotFound, RangeNotSatisfiable, StorageUnavailable),
    },
)
@router.head("/api/assets/{key}", include_in_schema=False)
async def read_asset(
    request: Request,
    key: Key,
    asked: Annotated[str | None, Header(alias="Range", description="One range of bytes.")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """For whoever knows the key. A file never changes, so browsers keep it for a year."""
    asset = await _find(request, key)
    tag = f'"{asset.digest.hex()}"'
    headers = {**_HEADERS, "ETag": tag, "Content-Disposition": _disposition(asset)}
    if if_none_match is not None and _names(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    span = assets.span_of(asked, asset.size) if if_range in (None, tag) else None
    start, end = (0, asset.size) if span is None else (span.start, span.end)
    headers |= {"Content-Length": str(end - start), "Content-Type": asset.content_type}
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{asset.size}"
    status = 200 if span is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await _content(request, asset, start, end), status, headers)


async def _find(request: Request, key: str) -> Row[Any]:
    if assets.is_key(key):
        async with gate_of(request).database.read() as tx:
            asset = await assets.by_key(tx, key)
        if asset is not None:
            return asset
    raise NotFound("There is no such file.", param="key", hint="Check the address, as the upload's answer told it.")


async def _content(request: Request, asset: Row[Any], start: int, end: int) -> AsyncIterator[bytes]:
    try:
        return await objects_of(request).read(assets.path_of(asset.platform_id, asset.key), start, end)
    except NoSuchObject:
        raise NotFound("The file is gone.", param="key") from None


def _names(if_none_match: str, tag: str) -> bool:
    return if_none_match.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in if_none_match.split(","))


def _disposition(asset: Row[Any]) -> str:
    """Saved under its name, unless it is of a kind that browsers may show."""
    how = "inline" if assets.is_shown(asset.content_type) else "attachment"
    return f"{how}; filename*=UTF-8''{quote(asset.name, safe='')}" if asset.name else how
