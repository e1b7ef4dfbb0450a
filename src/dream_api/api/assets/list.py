"""`GET /api/assets` and `DELETE /api/assets/{key}`: list and delete files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import assets
from dream_api.api.assets.models import ASSET_EXAMPLE, KeptAsset, Key, asset_not_found, asset_response
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.core.errors import StorageUnavailable
from dream_api.core.http import error_responses, json_response
from dream_api.core.http.dependencies import Db, ObjectsDep, SettingsDep

router = APIRouter(tags=["Assets"], prefix="/api/assets")


class AssetList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[KeptAsset]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


@router.get(
    "",
    summary="List files",
    response_model=AssetList,
    responses={
        200: {"content": {"application/json": {"example": {"data": [ASSET_EXAMPLE], "nextCursor": None}}}},
        **error_responses(*PROJECT_AUTH_ERRORS),
    },
)
async def list_assets(
    db: Db,
    settings: SettingsDep,
    acting: CanView,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to answer.")] = 20,
    after: Annotated[
        str | None, Query(pattern=assets.CURSOR, description="The `nextCursor` of the page before.")
    ] = None,
) -> Response:
    """Those of the project and mode, newest first."""
    async with db.read() as tx:
        rows = await assets.list_assets(
            tx, acting.platform_id, acting.project_id, acting.mode, limit=limit + 1, after=after
        )
    link_base = settings.link_base
    page = [asset_response(row, link_base) for row in rows[:limit]]
    return json_response(AssetList(data=page, next_cursor=assets.cursor_of(rows[limit - 1]) if rows[limit:] else None))


@router.delete(
    "/{key}",
    summary="Delete a file",
    response_model=KeptAsset,
    responses={
        200: {"content": {"application/json": {"example": ASSET_EXAMPLE}}},
        **error_responses(*PROJECT_AUTH_ERRORS, StorageUnavailable),
    },
)
async def delete_asset(
    request: Request, db: Db, settings: SettingsDep, objects: ObjectsDep, acting: CanSell, key: Key
) -> Response:
    """Nobody is handed it any more; who has it in a browser's cache keeps it. Answers what it was."""
    async with db.read() as tx:
        asset = await assets.by_key(tx, key) if assets.is_key(key) else None
    whose = (acting.platform_id, acting.project_id, acting.mode)
    if asset is None or (asset.platform_id, asset.project_id, asset.mode) != whose:
        raise asset_not_found()
    # The bytes first: what fails half way can be asked again, and leaves nothing that nobody knows of.
    await objects.delete(assets.path_of(acting.platform_id, key))
    async with db.write() as tx:
        if not await assets.delete_asset(tx, acting.platform_id, key):
            raise asset_not_found()
        await audit_request(tx, request, acting, "asset.deleted", about=key, details={"file": asset.name})
    return json_response(asset_response(asset, settings.link_base))
