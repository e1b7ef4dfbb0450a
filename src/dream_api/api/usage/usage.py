"""`GET /api/usage`: current usage and limits of a customer."""

from typing import Annotated

from fastapi import Query

from dream_api import usage
from dream_api.api.endpoint import Endpoints
from dream_api.api.usage.models import CustomerUsage, UserId, UserPlan, user_id_of
from dream_api.auth.dependencies import SecretKeyAuth
from dream_api.core.http import ModelResponse
from dream_api.metering import METERING_ERRORS, build_call, rate_headers, usage_body
from dream_api.metering.dependencies import MeteringDep

endpoints = Endpoints("Usage", "/api/usage")


@endpoints.get("", "usage.check", "Check usage", errors=(*METERING_ERRORS, usage.UnknownMeter))
async def check_usage(
    engine: MeteringDep,
    key: SecretKeyAuth,
    user_id: UserId = None,
    user_plan: UserPlan = None,
    meter: Annotated[str, Query(description="The meter to read.", max_length=120)] = usage.REQUESTS,
) -> ModelResponse[CustomerUsage]:
    """The customer's usage and limits. Nothing is counted."""
    terms = await engine.get_terms(key, user_plan)
    outcome = await engine.peek(build_call(key, terms, user_id=user_id_of(user_id), plan=user_plan, meter=meter))
    answer = ModelResponse[CustomerUsage](usage_body(outcome))
    answer.raw_headers += rate_headers(outcome)
    return answer
