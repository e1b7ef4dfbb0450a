"""`/test-clock`: the test clock of a project, which can be moved forward."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from dream_api import billing, platforms
from dream_api.api.billing.models import ResponseModel
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.auth.tenant_resolution import PROJECT_AUTH_ERRORS
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.http import (
    JSON_BODY_ERRORS,
    RequestModel,
    error_responses,
    example_response,
    json_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import Db
from dream_api.platforms import TestClockBackwards

router = APIRouter(tags=["Selling"], prefix="/test-clock")


class Advance(RequestModel):
    """How far to go."""

    advance_to: AwareDatetime = Field(description="RFC 3339; later than the project's present time.")


class ProjectTime(ResponseModel):
    """What time it is in the project."""

    now: str
    ahead_seconds: int = Field(description="How far it is ahead of the world's time.")


_SHOWN: dict[str, Any] = {"now": "2027-01-01T00:00:00Z", "aheadSeconds": 3542400}


@router.get(
    "",
    summary="Read the test clock",
    response_model=ProjectTime,
    responses={**example_response(200, _SHOWN), **error_responses(*PROJECT_AUTH_ERRORS)},
)
async def read_clock(db: Db, acting: CanView) -> Response:
    return await _answer(db, acting)


@router.post(
    "",
    summary="Move the test clock",
    response_model=ProjectTime,
    responses={
        **example_response(200, _SHOWN),
        **error_responses(
            *PROJECT_AUTH_ERRORS,
            *JSON_BODY_ERRORS,
            TestClockBackwards,
            billing.TestClockNeedsSandbox,
        ),
    },
    openapi_extra=request_body(Advance, {"advanceTo": "2027-12-01T00:00:00Z"}),
)
async def move_clock(request: Request, db: Db, billing_context: BillingDep, acting: CanSell) -> Response:
    """Renewals, retries, trials, expiries: what falls due on the way has happened when this answers, in its order."""
    body, _ = await read_json_body(request, Advance)
    to = clock.from_datetime(body.advance_to)
    if acting.mode == "live":
        raise billing.TestClockNeedsSandbox("Live mode keeps real time.")
    async with billing_context.database.write() as tx:
        await platforms.require_movable(tx, acting.project, to)
        account = await billing.ensure_account(tx, acting.scope)
        await audit_request(
            tx, request, acting, "clock.moved", about=acting.project_id, details={"to": clock.rfc3339(to)}
        )
    await billing.advance(billing_context, acting.project, account, to)
    return await _answer(db, acting)


async def _answer(db: Database, acting: ProjectPrincipal) -> Response:
    async with db.read() as tx:
        ahead = await platforms.clock_offset(tx, acting.platform_id, acting.project_id, acting.mode)
    return json_response(ProjectTime(now=clock.rfc3339(clock.now() + ahead), ahead_seconds=ahead // clock.SECOND))
