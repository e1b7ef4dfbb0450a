"""`/dashboard/{projectId}/{mode}/tiers/{name}`: update and archive a tier or product."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import catalog, store
from dream_api.auth.csrf import read_csrf_form
from dream_api.core.errors import Conflict, Invalid, NotFound
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog import tier_form
from dream_api.dashboard.catalog.tier_page import Name, show_tier, tier_url
from dream_api.dashboard.dependencies import ProjectPage, ProjectPageCanSell
from dream_api.dashboard.forms import form_errors, require_confirmation
from dream_api.dashboard.layout import PageRoute, project_url, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/tiers/{name}"


@router.get(_PATH)
async def read_tier(db: Db, visit: ProjectPage, name: Name, done: str = "") -> Response:
    return await show_tier(db, visit, name, done=done)


@router.post(_PATH)
async def change_tier(request: Request, db: Db, visit: ProjectPageCanSell, name: Name) -> Response:
    """All but its prices, which are made and archived one by one."""
    form = await read_csrf_form(request, visit.user)
    try:
        asked = tier_form.parse_tier(form, visit.project.type, is_new=False)
        async with db.write() as tx:
            offer = await catalog.lock_tier(tx, visit.project, visit.mode, name)
            if offer is None:
                raise NotFound("There is no such tier.")
            draft = catalog.to_draft(visit.project.type, asked, offer)
            await catalog.update_tier(tx, visit.project, visit.mode, offer, draft)
            await store.set_tier_inventory(tx, visit.scope, offer.id, asked)
            await record(tx, request, visit, "tier.changed", about=offer.id, tier=name)
    except (Invalid, Conflict) as error:
        typed = tier_form.redisplayed(form)
        return await show_tier(db, visit, name, form=typed, problems=tier_form.form_errors(error, form))
    return redirect(tier_url(visit, name, "saved"))


@router.post(_PATH + "/archive")
async def archive_tier(request: Request, db: Db, visit: ProjectPageCanSell, name: Name) -> Response:
    """For ever hidden from new buyers; those who have it keep it."""
    form = await read_csrf_form(request, visit.user)
    try:
        require_confirmation(form, name)
        async with db.write() as tx:
            await catalog.archive_tier(tx, visit.project, visit.mode, name)
            await record(tx, request, visit, "tier.archived", tier=name)
    except (Invalid, Conflict) as error:
        return await show_tier(db, visit, name, problems=form_errors(error, {"name": "confirm"}))
    return redirect(project_url(visit, "/tiers"))
