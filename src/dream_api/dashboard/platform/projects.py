"""`/dashboard/{platformId}/projects`: projects with their live totals, and creating one."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from dream_api import analytics, catalog, keys, platforms
from dream_api.billing.dependencies import InstanceKeyDep
from dream_api.core.db import Database
from dream_api.core.errors import Invalid, ValidationFailed
from dream_api.core.http import Form
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.audit import record
from dream_api.dashboard.dependencies import PlatformContext, PlatformPage, PlatformPageCanManage
from dream_api.dashboard.forms import FormErrors, SentForm, submits
from dream_api.dashboard.layout import PageRoute, render_page
from dream_api.platforms import ProjectType

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/dashboard/{platformId}/projects"
_DAYS = 30
_TYPES: dict[str, ProjectType] = {"saas": "saas", "store": "store"}


@router.get(_PATH)
async def list_projects(db: Db, visit: PlatformPage) -> Response:
    return await _show(db, visit, {"type": "saas"})


async def _show(db: Database, visit: PlatformContext, form: Form, problems: FormErrors | None = None) -> Response:
    async with db.read() as tx:
        totals = await analytics.get_platform_totals(tx, visit.platform_no, days=_DAYS)
    return render_page(
        visit,
        "platform/projects.html",
        here="projects",
        status=422 if problems else 200,
        totals=totals,
        days=_DAYS,
        form=form,
        problems=problems or {},
    )


@submits(router, _PATH, _show, errors=Invalid)
async def create_project(
    request: Request, db: Db, instance_key: InstanceKeyDep, visit: PlatformPageCanManage, form: SentForm
) -> str:
    """With the keys of its test mode; its type cannot be changed later."""
    project_type = _TYPES.get(form.get("type", ""))
    if project_type is None:
        raise ValidationFailed("Choose a project type.", param="type")
    async with db.write() as tx:
        made = await catalog.create_project_with_defaults(
            tx, visit.platform, form.get("name", ""), project_type, platforms.MODES
        )
        await keys.issue_pair(tx, made, "test", instance_key=instance_key, created_by=visit.caller)
        await record(tx, request, visit, "project.created", about=made.id)
    return f"/dashboard/{made.id}/test/keys"
