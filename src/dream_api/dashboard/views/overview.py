"""`/dashboard/{projectId}/{mode}`: what the project comes to."""

from fastapi import APIRouter
from starlette.responses import Response

from dream_api.dashboard.frame import Frame, PageRoute
from dream_api.gate.visiting import InProject

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_frame = Frame("dream_api.dashboard.views")


@router.get("/dashboard/{projectId}/{mode}")
async def overview(visit: InProject) -> Response:
    return _frame.show(visit, "overview.html", here="overview")
