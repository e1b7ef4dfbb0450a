"""`GET /api/usage`: current usage and limits of a customer."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from dream_api import usage
from dream_api.api.usage.models import METERED_ERRORS, USAGE_EXAMPLE, Usage, UserId, UserPlan, user_id_of
from dream_api.auth.dependencies import SecretKeyAuth
from dream_api.core.http import error_responses, example_response
from dream_api.metering import build_call, rate_headers, usage_body
from dream_api.metering.dependencies import MeteringDep

router = APIRouter(tags=["Usage"])


@router.get(
    "/api/usage",
    summary="Read usage",
    response_model=Usage,
    responses={**example_response(200, USAGE_EXAMPLE), **error_responses(*METERED_ERRORS, usage.UnknownMeter)},
)
async def read_usage(
    engine: MeteringDep,
    key: SecretKeyAuth,
    user_id: UserId = None,
    user_plan: UserPlan = None,
    meter: Annotated[str, Query(description="Which meter to read.", max_length=120)] = usage.REQUESTS,
) -> Response:
    """How a customer's limits stand. Never counts."""
    terms = await engine.get_terms(key, user_plan)
    outcome = await engine.peek(build_call(key, terms, user_id=user_id_of(user_id), plan=user_plan, meter=meter))
    answer = Response(usage_body(outcome), media_type="application/json")
    answer.raw_headers += rate_headers(outcome)
    return answer
