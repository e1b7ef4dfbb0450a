"""List, reveal and revoke keys."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import keys
from dream_api.auth.csrf import read_csrf_form
from dream_api.core.errors import AppError
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectPage, ProjectPageCanManage
from dream_api.dashboard.forms import form_errors, require_confirmation
from dream_api.dashboard.keys.page import KeysPage, find_key, sealing_key, show_keys, show_revoking
from dream_api.dashboard.layout import PageRoute, project_url, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/keys"


@router.get(_PATH)
async def list_keys(db: Db, visit: ProjectPage) -> Response:
    return await show_keys(db, visit)


@router.post(_PATH + "/{keyId}/reveal")
async def reveal_key(request: Request, db: Db, settings: SettingsDep, visit: ProjectPageCanManage) -> Response:
    """Of test mode; a live one is shown once, when it is created."""
    await read_csrf_form(request, visit.user)
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    token = keys.reveal_if_decryptable(key.row, sealing_key(settings))
    if token is None:
        raise keys.KeyNotRetrievable("The key was sealed with another instance key, such as that of a restored backup.")
    async with db.write() as tx:
        await record(tx, request, visit, "key.revealed", about=key.row.id)
    return await show_keys(db, visit, revealed={key.row.id: token})


@router.get(_PATH + "/{keyId}/revoke")
async def ask_to_revoke(request: Request, db: Db, visit: KeysPage) -> Response:
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    return show_revoking(visit, key)


@router.post(_PATH + "/{keyId}/revoke")
async def revoke_key(request: Request, db: Db, visit: KeysPage) -> Response:
    """Refused from now on, everywhere within a second."""
    form = await read_csrf_form(request, visit.user)
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    try:
        require_confirmation(form, key.called)
    except AppError as error:
        return show_revoking(visit, key, form_errors(error))
    async with db.write() as tx:
        await keys.revoke(tx, visit.platform_id, key.row.id)
        await record(tx, request, visit, "key.revoked", about=key.row.id)
    return redirect(project_url(visit, "/keys"))
