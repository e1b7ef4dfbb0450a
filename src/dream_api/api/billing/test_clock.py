"""`/test-clock`: the test clock of a project, which can be moved forward."""

from fastapi import Request
from pydantic import AwareDatetime, Field

from dream_api import billing, platforms
from dream_api.api.endpoint import Endpoints, JsonBody
from dream_api.api.models import ResponseModel, Timestamp, example
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.billing.dependencies import BillingDep
from dream_api.core import clock
from dream_api.core.db import Database
from dream_api.core.http import ModelResponse, RequestModel, json_response
from dream_api.core.http.dependencies import Db
from dream_api.platforms import TestClockBackwards

endpoints = Endpoints("Test mode", "/test-clock")


class TestClockAdvance(RequestModel, json_schema_extra=example({"advanceTo": "2027-12-01T00:00:00Z"})):
    """The time to advance to."""

    advance_to: AwareDatetime = Field(description="RFC 3339; later than the project's current time.")


class TestClock(ResponseModel, json_schema_extra=example({"now": "2027-01-01T00:00:00Z", "aheadSeconds": 3542400})):
    """The current time of the project."""

    now: Timestamp
    ahead_seconds: int = Field(description="How far it is ahead of real time.")


@endpoints.get("", "testClock.get", "Get the test clock")
async def get_clock(db: Db, acting: CanView) -> ModelResponse[TestClock]:
    """The current time in the project's test mode."""
    return await _clock(db, acting)


@endpoints.post(
    "", "testClock.advance", "Advance the test clock", errors=(TestClockBackwards, billing.TestClockNeedsSandbox)
)
async def advance_clock(
    request: Request, db: Db, billing_context: BillingDep, acting: CanSell, body: JsonBody[TestClockAdvance]
) -> ModelResponse[TestClock]:
    """All renewals, retries, trial ends and expiries up to this time happen in order before the response."""
    to = clock.from_datetime(body.advance_to)
    if acting.mode == "live":
        raise billing.TestClockNeedsSandbox("Live mode always uses real time.")
    async with billing_context.database.write() as tx:
        await platforms.require_movable(tx, acting.project, to)
        account = await billing.ensure_account(tx, acting.scope)
        details = {"to": clock.rfc3339(to)}
        await audit_request(tx, request, acting, "clock.moved", about=acting.project_id, details=details)
    await billing.advance(billing_context, acting.project, account, to)
    return await _clock(db, acting)


async def _clock(db: Database, acting: ProjectPrincipal) -> ModelResponse[TestClock]:
    async with db.read() as tx:
        ahead = await platforms.clock_offset(tx, acting.platform_no, acting.project_id, acting.mode)
    now = clock.rfc3339(clock.now() + ahead)
    return json_response(TestClock(now=now, ahead_seconds=ahead // clock.SECOND))
