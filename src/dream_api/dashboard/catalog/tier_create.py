"""`/dashboard/{projectId}/{mode}/new-tier`: create a tier or product."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import catalog, store
from dream_api.catalog import TierCreate
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.catalog import tier_form
from dream_api.dashboard.catalog.tier_page import show_new, tier_url
from dream_api.dashboard.dependencies import ProjectContext, ProjectPageCanSell
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/dashboard/{projectId}/{mode}/new-tier")
async def ask_for_tier(visit: ProjectPageCanSell) -> Response:
    return show_new(visit, tier_form.empty_form())


async def _again(visit: ProjectContext, form: Form, problems: FormErrors) -> Response:
    return show_new(visit, tier_form.redisplayed(form), problems)


@submits(router, "/dashboard/{projectId}/{mode}/tiers", _again, fields=tier_form.errors_in)
async def create_tier(request: Request, db: Db, visit: ProjectPageCanSell, form: SentForm) -> str:
    """In force within a second; its prices come next."""
    asked = tier_form.parse_tier(form, visit.project.type, is_new=True)
    assert isinstance(asked, TierCreate)
    draft = catalog.to_draft(visit.project.type, asked)
    async with db.write() as tx:
        made = await catalog.create_tier(tx, visit.project, visit.mode, asked.name, draft)
        await store.set_tier_inventory(tx, visit.scope, made.id, asked)
        await record(tx, request, visit, "tier.created", about=made.id, tier=asked.name)
    return tier_url(visit, asked.name, "made")
