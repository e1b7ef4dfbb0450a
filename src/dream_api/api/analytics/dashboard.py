"""`/api/dashboard`: the figures of a project, and the live ones of a platform."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import analytics
from dream_api.api.analytics import examples
from dream_api.api.analytics.models import Dashboard, DashboardTotals, dashboard_of, dashboard_totals_of
from dream_api.auth.dependencies import CanView, PlatformMember
from dream_api.auth.tenant_resolution import PLATFORM_AUTH_ERRORS, PROJECT_AUTH_ERRORS
from dream_api.core.http import error_responses, json_response
from dream_api.core.http.dependencies import Db

router = APIRouter(tags=["Dashboard"], prefix="/api/dashboard")

Days = Annotated[
    int, Query(ge=1, le=analytics.LONGEST_DAYS, description="How many UTC days to report, the present one included.")
]


def _shown(example: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": example}}}}


@router.get(
    "",
    summary="Read a project's figures",
    response_model=Dashboard,
    responses={**_shown(examples.DASHBOARD), **error_responses(*PROJECT_AUTH_ERRORS)},
)
async def read_dashboard(db: Db, acting: CanView, days: Days = 30) -> Response:
    """Money, subscriptions, customers, usage, orders and what needs a look, in the caller's project and mode. Days are
    those of the project's own time."""
    async with db.read() as tx:
        figures = await analytics.get_project_figures(tx, acting.project, acting.mode, days=days)
    return json_response(dashboard_of(figures, acting.mode))


@router.get(
    "/totals",
    summary="Read the platform's live figures",
    response_model=DashboardTotals,
    responses={**_shown(examples.TOTALS), **error_responses(*PLATFORM_AUTH_ERRORS)},
)
async def read_totals(db: Db, developer: PlatformMember, days: Days = 30) -> Response:
    """What all projects of the platform come to in live mode, together and one by one; at most a hundred one by one."""
    async with db.read() as tx:
        totals = await analytics.get_platform_totals(tx, developer.platform.id, days=days)
    return json_response(dashboard_totals_of(totals))
