"""Shared by the pages of a platform: renderer, role descriptions and form errors."""

from fastapi import Request
from starlette.responses import Response

from dream_api.auth.rate_limit import client_address
from dream_api.core.errors import AppError
from dream_api.core.settings import Settings
from dream_api.dashboard.dependencies import PlatformContext
from dream_api.dashboard.layout import PageRenderer
from dream_api.tenancy.membership import TeamChange

frame = PageRenderer("dream_api.dashboard.platform")
# What each role is for, in the order of what they may.
ROLE_WORDS = {
    "owner": "Owner – everything, also the level and who else owns it",
    "admin": "Admin – everything but the level and the owners",
    "member": "Member – sells: products, customers, test keys",
    "viewer": "Viewer – sees everything but secrets",
}


def changing(request: Request, settings: Settings, visit: PlatformContext) -> TeamChange:
    """The user, as one who changes the team."""
    developer = visit.developer
    return TeamChange(developer, developer.actor(client_address(request.scope)), settings.home_mode)


def problems_of(error: AppError, *fields: str) -> dict[str, str]:
    """The error's sentence under its field, or above the form where it is about none of them."""
    return {error.param if error.param in fields else "": error.sentence}


def unreferred(answer: Response) -> Response:
    """Adds `Referrer-Policy`, for pages whose URL is a secret."""
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
