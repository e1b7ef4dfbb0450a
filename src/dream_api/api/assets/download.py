"""`GET /api/assets/{key}`: file downloads, for anyone who knows the key."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from dream_api import assets
from dream_api.api.assets.models import FILE, Key, asset_not_found
from dream_api.assets import RangeNotSatisfiable
from dream_api.core.db import Database, Row
from dream_api.core.errors import NotFound, StorageUnavailable
from dream_api.core.http import error_responses
from dream_api.core.http.dependencies import Db, ObjectsDep
from dream_api.core.objects import NoSuchObject, ObjectStore

router = APIRouter(tags=["Assets"])

# Of any type; the first is what generated clients know.
_FILE = {"application/octet-stream": {"schema": FILE}, "*/*": {"schema": FILE}}

_HEADERS = {
    "Accept-Ranges": "bytes",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@router.get(
    "/api/assets/{key}",
    operation_id="assets.get",
    summary="Get a file",
    response_class=Response,
    responses={
        200: {"content": _FILE, "description": "The file."},
        206: {"content": _FILE, "description": "The requested range of bytes."},
        304: {"description": "The client has this file already: If-None-Match names it."},
        **error_responses(NotFound, RangeNotSatisfiable, StorageUnavailable),
    },
)
@router.head("/api/assets/{key}", include_in_schema=False)
async def read_asset(
    request: Request,
    db: Db,
    objects: ObjectsDep,
    key: Key,
    asked: Annotated[str | None, Header(alias="Range", description="One range of bytes.")] = None,
    if_none_match: Annotated[str | None, Header(description="The ETags of versions that you already have.")] = None,
    if_range: Annotated[str | None, Header(description="The ETag of the version to which the range belongs.")] = None,
) -> Response:
    """Anyone who knows the key can download the file. Files never change, so browsers can cache them for a year."""
    asset = await _find(db, key)
    tag = f'"{asset.digest.hex()}"'
    headers = {**_HEADERS, "ETag": tag, "Content-Disposition": _disposition(asset)}
    if if_none_match is not None and _names(if_none_match, tag):
        return Response(status_code=304, headers=headers)
    span = assets.parse_range(asked, asset.size) if if_range in (None, tag) else None
    start, end = (0, asset.size) if span is None else (span.start, span.end)
    headers |= {"Content-Length": str(end - start), "Content-Type": asset.content_type}
    if span is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{asset.size}"
    status = 200 if span is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await _content(objects, asset, start, end), status, headers)


async def _find(db: Database, key: str) -> Row[Any]:
    if assets.is_key(key):
        async with db.read() as tx:
            asset = await assets.by_key(tx, key)
        if asset is not None:
            return asset
    raise asset_not_found()


async def _content(objects: ObjectStore, asset: Row[Any], start: int, end: int) -> AsyncIterator[bytes]:
    try:
        return await objects.read(assets.path_of(asset.platform_id, asset.key), start, end)
    except NoSuchObject:
        raise NotFound("The file no longer exists.", param="key") from None


def _names(if_none_match: str, tag: str) -> bool:
    return if_none_match.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in if_none_match.split(","))


def _disposition(asset: Row[Any]) -> str:
    """Saved under its name, unless it is of a kind that browsers may show."""
    how = "inline" if assets.is_displayable(asset.content_type) else "attachment"
    return f"{how}; filename*=UTF-8''{quote(asset.name, safe='')}" if asset.name else how
