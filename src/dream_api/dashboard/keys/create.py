"""Create keys and key pairs, and rotate them."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import keys, platforms
from dream_api.auth.csrf import read_csrf_form
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Invalid
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db, SettingsDep
from dream_api.core.settings import Settings
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import form_errors, parse_date_end, parse_integer
from dream_api.dashboard.keys.page import KeysPage, sealing_key, show_keys
from dream_api.dashboard.layout import PageRoute
from dream_api.keys import IssuedKey

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/keys"
# How the page calls what the rules name otherwise.
_FIELDS = {"perSecond": "rateLimit"}


@router.post(_PATH)
async def create_key(request: Request, db: Db, settings: SettingsDep, visit: KeysPage) -> Response:
    """Another secret key; the others go on working."""
    form = await read_csrf_form(request, visit.user)
    try:
        async with db.write() as tx:
            issued = await _issue(tx, settings, visit, form)
            await record(tx, request, visit, "key.issued", about=issued.id)
    except Invalid as error:
        return await show_keys(db, visit, form=form, problems=form_errors(error, _FIELDS))
    return await show_keys(db, visit, issued=[issued])


@router.post(_PATH + "/pair")
async def create_key_pair(request: Request, db: Db, settings: SettingsDep, visit: KeysPage) -> Response:
    """A publishable and a secret key, as every mode begins with."""
    await read_csrf_form(request, visit.user)
    async with db.write() as tx:
        issued = await keys.issue_pair(
            tx, visit.project, visit.mode, instance_key=sealing_key(settings), created_by=visit.caller
        )
        for key in issued:
            await record(tx, request, visit, "key.issued", about=key.id)
    return await show_keys(db, visit, issued=issued)


@router.post(_PATH + "/rotate")
async def rotate_keys(request: Request, db: Db, settings: SettingsDep, visit: KeysPage) -> Response:
    """A new secret key at once; the others work for the grace that was chosen."""
    form = await read_csrf_form(request, visit.user)
    try:
        hours = parse_integer(form, "grace")
        async with db.write() as tx:
            issued = await keys.rotate(
                tx,
                visit.project,
                visit.mode,
                instance_key=sealing_key(settings),
                created_by=visit.caller,
                grace=keys.DEFAULT_GRACE if hours is None else hours * clock.HOUR,
            )
            await record(tx, request, visit, "key.rotated", about=issued.id)
    except Invalid as error:
        return await show_keys(db, visit, form=form, problems=form_errors(error))
    return await show_keys(db, visit, issued=[issued])


async def _issue(tx: Tx, settings: Settings, visit: ProjectContext, form: Form) -> IssuedKey:
    name = form.get("name", "")
    issued = await keys.issue(
        tx,
        visit.project,
        visit.mode,
        "secret",
        instance_key=sealing_key(settings),
        created_by=visit.caller,
        name=platforms.validate_name(name) if name else "",
        expires_at=parse_date_end(form, "expiresAt"),
    )
    limit = parse_integer(form, "rateLimit")
    if limit is not None:
        await keys.set_rate_limit(tx, visit.platform_id, issued.id, limit)
    return issued
