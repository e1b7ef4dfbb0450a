"""`GET /api/assets` and `DELETE /api/assets/{key}`: list and delete files."""

from typing import Annotated

from fastapi import Query, Request

from dream_api import assets
from dream_api.api.assets.models import Asset, Key, asset_not_found, to_asset
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import Page
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.core.errors import StorageUnavailable
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db, ObjectsDep, SettingsDep

endpoints = Endpoints("Assets", "/api/assets")


class AssetList(Page[Asset]):
    """Newest first."""


@endpoints.get("", "assets.list", "List files")
async def list_assets(
    db: Db,
    settings: SettingsDep,
    acting: CanView,
    limit: Annotated[int, Query(ge=1, le=100, description="How many to return.")] = 20,
    after: Annotated[
        str | None, Query(pattern=assets.CURSOR, description="The `nextCursor` of the previous page.")
    ] = None,
) -> ModelResponse[AssetList]:
    """Those of the project and mode, newest first."""
    async with db.read() as tx:
        rows = await assets.list_assets(
            tx, acting.platform_no, acting.project_id, acting.mode, limit=limit + 1, after=after
        )
    found = [to_asset(row, settings.link_base) for row in rows[:limit]]
    return json_response(AssetList(data=found, next_cursor=assets.cursor_of(rows[limit - 1]) if rows[limit:] else None))


@endpoints.delete("/{key}", "assets.delete", "Delete a file", errors=(StorageUnavailable,))
async def delete_asset(
    request: Request, db: Db, settings: SettingsDep, objects: ObjectsDep, acting: CanSell, key: Key
) -> ModelResponse[Asset]:
    """It can no longer be downloaded, but browsers may still show it from their cache."""
    whose = (acting.platform_no, acting.project_id, acting.mode)
    async with db.read() as tx:
        asset = await assets.find_asset(tx, *whose, key) if assets.is_key(key) else None
    if asset is None:
        raise asset_not_found()
    # The bytes first: what fails half way can be asked again, and leaves nothing that nobody knows of.
    await objects.delete(assets.path_of(acting.platform_id, key))
    async with db.write() as tx:
        if not await assets.delete_asset(tx, acting.platform_no, key):
            raise asset_not_found()
        await audit_request(tx, request, acting, "asset.deleted", about=key, details={"file": asset.name})
    return json_response(to_asset(asset, settings.link_base))
