"""`POST /generate-platform-id`: create a platform."""

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from dream_api import accounts
from dream_api.api.platforms.models import BODY_ERRORS, ResponseModel
from dream_api.auth.browser_sessions import SignInRequired
from dream_api.auth.dependencies import CurrentUser, IdempotencyKey
from dream_api.auth.rate_limit import client_address
from dream_api.core.db import Tx
from dream_api.core.errors import OutcomeUnknown, Overloaded, StorageUnavailable, ValidationFailed
from dream_api.core.http import (
    CSRFFailed,
    RequestModel,
    error_responses,
    example_response,
    idempotent_response,
    read_json_body,
    request_body,
)
from dream_api.core.http.dependencies import SettingsDep
from dream_api.core.ratelimit import RateLimited
from dream_api.tenancy.membership import create_platform

router = APIRouter(tags=["Platforms"])


class PlatformCreate(RequestModel):
    """A platform to make."""

    name: str = Field(max_length=120, description="What people call it.")


class CreatedPlatform(ResponseModel):
    """A new platform, on the lowest level; its creator owns it."""

    platform_id: str
    name: str


@router.post(
    "/generate-platform-id",
    summary="Make a platform",
    status_code=201,
    response_model=CreatedPlatform,
    responses={
        **example_response(201, {"platformId": "plt_01k9q3v8zd0g2m4n6p8r0t2v4w", "name": "Acme"}),
        **error_responses(
            SignInRequired,
            CSRFFailed,
            accounts.EmailNotVerified,
            RateLimited,
            ValidationFailed,
            Overloaded,
            StorageUnavailable,
            OutcomeUnknown,
            *BODY_ERRORS,
        ),
    },
    openapi_extra=request_body(PlatformCreate, {"name": "Acme"}),
)
async def generate_platform_id(
    request: Request, settings: SettingsDep, user: CurrentUser, _: IdempotencyKey = None
) -> Response:
    """By the session of somebody whose address is verified; personal tokens work on a platform that is there."""
    accounts.require_verified_email(user.session)
    body, raw = await read_json_body(request, PlatformCreate)
    mode, address = settings.home_mode, client_address(request.scope)

    async def effect(tx: Tx) -> CreatedPlatform:
        platform = await create_platform(tx, body.name, user.session, mode, address=address)
        return CreatedPlatform(platform_id=platform.id, name=platform.name)

    return await idempotent_response(
        request, platform_id=user.session.user_id, caller=user.caller, status=201, body=raw, effect=effect
    )
