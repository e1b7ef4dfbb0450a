"""Shared by the pages of a platform: role descriptions and audit actors."""

from fastapi import Request
from starlette.responses import Response

from dream_api.auth.rate_limit import client_address
from dream_api.core.settings import Settings
from dream_api.dashboard.dependencies import PlatformContext
from dream_api.tenancy.membership import TeamChange

# What each role is for, in the order of what they may.
ROLE_WORDS = {
    "owner": "Owner – everything",
    "admin": "Admin – all but level and owners",
    "member": "Member – products and customers",
    "viewer": "Viewer – read-only",
}


def changing(request: Request, settings: Settings, visit: PlatformContext) -> TeamChange:
    """The user, as one who changes the team."""
    developer = visit.developer
    return TeamChange(developer, developer.actor(client_address(request.scope)), settings.home_mode)


def unreferred(answer: Response) -> Response:
    """Adds `Referrer-Policy`, for pages whose URL is a secret."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
