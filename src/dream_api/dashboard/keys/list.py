"""List, reveal and revoke keys."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import keys
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.errors import Invalid
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanManage
from dream_api.dashboard.forms import FormErrors, SentForm, require_confirmation, submits
from dream_api.dashboard.keys.page import KeysPage, find_key, show_keys, show_revoking
from dream_api.dashboard.layout import PageRoute, project_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/keys"


@router.get(_PATH)
async def list_keys(db: Db, visit: ProjectPage) -> Response:
    return await show_keys(db, visit)


@submits(router, _PATH + "/{keyId}/reveal", show_keys, errors=())
async def reveal_key(
    request: Request, db: Db, instance_key: InstanceKeyDep, visit: ProjectPageCanManage, form: SentForm
) -> Response:
    """Of test mode; a live one is shown once, when it is created."""
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    token = keys.reveal_if_decryptable(key.row, instance_key)
    if token is None:
        raise keys.KeyNotRetrievable("This key was encrypted with another instance key, such as a restored backup's.")
    async with db.write() as tx:
        await record(tx, request, visit, "key.revealed", about=key.row.id)
    return await show_keys(db, visit, revealed={key.row.id: token})


@router.get(_PATH + "/{keyId}/revoke")
async def ask_to_revoke(request: Request, db: Db, visit: KeysPage) -> Response:
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    return show_revoking(visit, key)


async def _again(request: Request, db: Db, visit: ProjectContext, problems: FormErrors) -> Response:
    async with db.read() as tx:
        return show_revoking(visit, await find_key(tx, visit, request.path_params["keyId"]), problems)


@submits(router, _PATH + "/{keyId}/revoke", _again, errors=Invalid)
async def revoke_key(request: Request, db: Db, visit: KeysPage, form: SentForm) -> str:
    """Rejected from now on, everywhere within a second."""
    async with db.read() as tx:
        key = await find_key(tx, visit, request.path_params["keyId"])
    require_confirmation(form, key.called)
    async with db.write() as tx:
        await keys.revoke(tx, visit.platform_no, key.row.id)
        await record(tx, request, visit, "key.revoked", about=key.row.id)
    return project_url(visit, "/keys")
