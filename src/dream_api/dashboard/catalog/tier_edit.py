"""`/dashboard/{projectId}/{mode}/tiers/{name}`: update and archive a tier or product."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import catalog, store
from dream_api.core.errors import NotFound
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog import tier_form
from dream_api.dashboard.catalog.tier_page import Name, show_tier, tier_url
from dream_api.dashboard.dependencies import ProjectContext, ProjectPage, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, require_confirmation, submits
from dream_api.dashboard.layout import PageRoute, project_url

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{projectId}/{mode}/tiers/{name}"


@router.get(_PATH)
async def read_tier(db: Db, visit: ProjectPage, name: Name, done: str = "") -> Response:
    return await show_tier(db, visit, name, done=done)


async def _again(db: Db, visit: ProjectContext, name: str, form: Form, problems: FormErrors) -> Response:
    return await show_tier(db, visit, name, form=tier_form.redisplayed(form), problems=problems)


@submits(router, _PATH, _again, fields=tier_form.errors_in)
async def change_tier(request: Request, db: Db, visit: ProjectPageCanSell, name: Name, form: SentForm) -> str:
    """All but its prices, which are created and archived one by one."""
    asked = tier_form.parse_tier(form, visit.project.type, is_new=False)
    async with db.write() as tx:
        offer = await catalog.lock_tier(tx, visit.project, visit.mode, name)
        if offer is None:
            raise NotFound("Plan or product not found.")
        draft = catalog.to_draft(visit.project.type, asked, offer)
        await catalog.update_tier(tx, visit.project, visit.mode, offer, draft)
        await store.set_tier_inventory(tx, visit.scope, offer.id, asked)
        await record(tx, request, visit, "tier.changed", about=offer.id, tier=name)
    return tier_url(visit, name, "saved")


async def _unchanged(db: Db, visit: ProjectContext, name: str, problems: FormErrors) -> Response:
    return await show_tier(db, visit, name, problems=problems)


@submits(router, _PATH + "/archive", _unchanged, fields={"name": "confirm"})
async def archive_tier(request: Request, db: Db, visit: ProjectPageCanSell, name: Name, form: SentForm) -> str:
    """Nobody new can buy it, for good; existing subscribers keep it."""
    require_confirmation(form, name)
    async with db.write() as tx:
        await catalog.archive_tier(tx, visit.project, visit.mode, name)
        await record(tx, request, visit, "tier.archived", tier=name)
    return project_url(visit, "/tiers")
