"""`/api/dashboard`: the figures of a project, and the live ones of a platform."""

from typing import Annotated

from fastapi import Query

from dream_api import analytics
from dream_api.api.analytics.models import Dashboard, DashboardTotals, to_totals
from dream_api.api.endpoint import Endpoints
from dream_api.auth.dependencies import CanView, PlatformMember
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Analytics", "/api/dashboard")

Days = Annotated[int, Query(ge=1, le=analytics.LONGEST_DAYS, description="The number of UTC days, including today.")]


@endpoints.get("", "analytics.project", "Get the metrics of a project")
async def get_dashboard(db: Db, acting: CanView, days: Days = 30) -> ModelResponse[Dashboard]:
    """Revenue, subscriptions, customers, usage, orders, nearly reached limits and low stock, in one mode. Days are in
    the project's time, which can be a test clock."""
    async with db.read() as tx:
        figures = await analytics.get_project_figures(tx, acting.project, acting.mode, days=days)
    return json_response(Dashboard.model_validate(figures))


@endpoints.get("/totals", "analytics.platform", "Get the live metrics of a platform")
async def get_totals(db: Db, developer: PlatformMember, days: Days = 30) -> ModelResponse[DashboardTotals]:
    """The sums of all projects in live mode, and the metrics of each project. At most 100 projects are listed."""
    async with db.read() as tx:
        totals = await analytics.get_platform_totals(tx, developer.platform_no, days=days)
    return json_response(to_totals(totals))
