"""`POST /generate-platform-id`: create a platform."""

from dataclasses import dataclass

from pydantic import Field

from dream_api import accounts
from dream_api.api.endpoint import Endpoints, Post
from dream_api.api.models import ResponseModel, example
from dream_api.auth.dependencies import CurrentUser
from dream_api.auth.rate_limit import client_address
from dream_api.core.db import NO_PLATFORM, Tx
from dream_api.core.http import ModelResponse, RequestModel
from dream_api.core.http.dependencies import SettingsDep
from dream_api.tenancy.membership import create_platform

endpoints = Endpoints("Platforms")


class PlatformCreate(RequestModel, json_schema_extra=example({"name": "Acme"})):
    """A platform to create."""

    name: str = Field(max_length=120, description="The name that people see.")


class Platform(
    ResponseModel, json_schema_extra=example({"platformId": "plt_01k9q3v8zd0g2m4n6p8r0t2v4w", "name": "Acme"})
):
    """An organization with its team and its projects."""

    platform_id: str = Field(validation_alias="id")
    name: str


@dataclass(frozen=True, slots=True)
class _Founder:
    """Whose idempotency keys these are, of somebody who may be on no platform yet; `caller` names them."""

    platform_no: int
    caller: str


@endpoints.post(
    "/generate-platform-id", "platforms.create", "Create a platform", status=201, errors=(accounts.EmailNotVerified,)
)
async def generate_platform_id(
    settings: SettingsDep, user: CurrentUser, post: Post[PlatformCreate]
) -> ModelResponse[Platform]:
    """Only for signed-in developers with a verified email address. The platform starts on the lowest level.
    Personal tokens work on one existing platform only."""
    accounts.require_verified_email(user.session)
    mode, address = settings.home_mode, client_address(post.request.scope)

    async def effect(tx: Tx) -> Platform:
        return Platform.model_validate(await create_platform(tx, post.body.name, user.session, mode, address=address))

    return await post.commit(_Founder(NO_PLATFORM, user.caller), effect)
