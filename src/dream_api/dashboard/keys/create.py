"""Create keys and key pairs, and rotate them."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import keys, platforms
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.core.errors import Invalid
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.core.secrets import InstanceKey
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import ProjectContext
from dream_api.dashboard.forms import SentForm, parse_date_end, parse_integer, submits
from dream_api.dashboard.keys.page import KeysPage, show_keys
from dream_api.dashboard.layout import PageRoute
from dream_api.keys import IssuedKey

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/keys"
# How the page calls what the rules name otherwise.
_FIELDS = {"perSecond": "rateLimit"}


async def _issue(tx: Tx, instance_key: InstanceKey, visit: ProjectContext, form: Form) -> IssuedKey:
    name = form.get("name", "")
    issued = await keys.issue(
        tx,
        visit.project,
        visit.mode,
        "secret",
        instance_key=instance_key,
        created_by=visit.caller,
        name=platforms.validate_name(name) if name else "",
        expires_at=parse_date_end(form, "expiresAt"),
    )
    limit = parse_integer(form, "rateLimit")
    if limit is not None:
        await keys.set_rate_limit(tx, visit.platform_no, issued.id, limit)
    return issued


@submits(router, _PATH, show_keys, fields=_FIELDS, errors=Invalid)
async def create_key(
    request: Request, db: Db, instance_key: InstanceKeyDep, visit: KeysPage, form: SentForm
) -> Response:
    """Another secret key; the others go on working."""
    async with db.write() as tx:
        issued = await _issue(tx, instance_key, visit, form)
        await record(tx, request, visit, "key.issued", about=issued.id)
    return await show_keys(db, visit, issued=[issued])


@submits(router, _PATH + "/pair", show_keys, errors=())
async def create_key_pair(
    request: Request, db: Db, instance_key: InstanceKeyDep, visit: KeysPage, form: SentForm
) -> Response:
    """A publishable and a secret key, as every mode begins with."""
    async with db.write() as tx:
        issued = await keys.issue_pair(
            tx, visit.project, visit.mode, instance_key=instance_key, created_by=visit.caller
        )
        for key in issued:
            await record(tx, request, visit, "key.issued", about=key.id)
    return await show_keys(db, visit, issued=issued)


@submits(router, _PATH + "/rotate", show_keys, errors=Invalid)
async def rotate_keys(
    request: Request, db: Db, instance_key: InstanceKeyDep, visit: KeysPage, form: SentForm
) -> Response:
    """A new secret key at once; the others work for the grace period that was chosen."""
    hours = parse_integer(form, "grace")
    async with db.write() as tx:
        issued = await keys.rotate(
            tx,
            visit.project,
            visit.mode,
            instance_key=instance_key,
            created_by=visit.caller,
            grace=keys.DEFAULT_GRACE if hours is None else hours * clock.HOUR,
        )
        await record(tx, request, visit, "key.rotated", about=issued.id)
    return await show_keys(db, visit, issued=[issued])
