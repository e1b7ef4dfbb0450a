"""Redirects of `/dashboard` and the short addresses to a project."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import platforms
from dream_api.auth.browser_sessions import SignedIn, SignedInUser
from dream_api.core.db import Database
from dream_api.core.errors import NotFound
from dream_api.core.http.dependencies import Db
from dream_api.dashboard.layout import PageRoute, redirect
from dream_api.platforms import Mode, Project

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Asked = Annotated[str | None, Query(alias="projectId", max_length=255)]
_MOST = 200


@router.get("/dashboard")
async def open_dashboard(db: Db, user: SignedIn) -> Response:
    """The user's first project, the operator's home last; without any, the page that comes before it."""
    project = await _project(db, user, None)
    return redirect(await _without_project(db, user) if project is None else f"/dashboard/{project.id}/test")


async def _without_project(db: Database, user: SignedInUser) -> str:
    """Open invitations come before the page that creates a project; who may create none is shown their platform."""
    own = user.memberships
    if own and not any(platforms.has_permission(each.role, "manage") for each in own):
        return f"/dashboard/{own[0].platform.id}/projects"
    if user.session.is_verified:
        async with db.read() as tx:
            if await platforms.list_open_invitations(tx, user.session.email):
                return "/account/invitations"
    return "/dashboard/welcome"


@router.get("/api-tier-config")
async def open_tiers(db: Db, user: SignedIn, project_id: Asked = None, mode: Mode = "test") -> Response:
    return await _see_page(db, user, project_id, mode, "/tiers")


@router.get("/credentials")
async def open_keys(db: Db, user: SignedIn, project_id: Asked = None, mode: Mode = "test") -> Response:
    return await _see_page(db, user, project_id, mode, "/keys")


async def _see_page(db: Database, user: SignedInUser, asked: str | None, mode: Mode, path: str) -> Response:
    project = await _project(db, user, asked)
    return redirect(await _without_project(db, user) if project is None else f"/dashboard/{project.id}/{mode}{path}")


async def _project(db: Database, user: SignedInUser, asked: str | None) -> Project | None:
    """The project that is asked for, else the first of the user's; NotFound where it is another's.

    Home comes last: it is where the operator sets levels, and nobody's first sight of a dashboard.
    """
    async with db.read() as tx:
        home_id = await platforms.home_project_id(tx)
        own = [
            project
            for membership in user.memberships
            for project in await platforms.projects_of(tx, membership.platform.no, limit=_MOST)
            if asked in (None, project.id)
        ]
    if asked is not None and not own:
        raise NotFound("Project not found.", param="projectId")
    return min(own, key=lambda project: project.id == home_id, default=None)
