"""Tenant resolution: the platform, project and mode of a request, from its credential and headers."""

from dataclasses import dataclass

from dream_api import accounts, keys, platforms
from dream_api.accounts import PersonalToken
from dream_api.auth.authenticator import CALL_ERRORS, SECRET_KEY_ERRORS, Authenticator
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from dream_api.core import ids
from dream_api.core.errors import AppError, BadRequest, Forbidden, NotFound
from dream_api.core.http import CSRFFailed
from dream_api.keys import Key
from dream_api.platforms import Membership, Mode, Permission, Platform, Project

_MOST_LISTED = 20


class PersonalTokenRequired(Forbidden):
    code = "personal_token_required"
    hint = "Create a token at /account or with `dream-api token create`. Send it as Authorization: Bearer dpt_…."


class ChooseProject(BadRequest):
    code = "choose_project"
    hint = "Name one of them in the header X-Project-Id or the query parameter projectId."


class ChoosePlatform(BadRequest):
    code = "choose_platform"
    hint = "Name one of them in the header X-Platform-Id or the query parameter platformId."


_BY_SESSION: tuple[type[AppError], ...] = (SignInRequired, CSRFFailed, ChoosePlatform)
# Errors of calls by users who are signed in; by servers or developers; by developers only; by browsers.
SESSION_ERRORS: tuple[type[AppError], ...] = (SignInRequired, CSRFFailed, *CALL_ERRORS)
PROJECT_AUTH_ERRORS: tuple[type[AppError], ...] = (
    *SECRET_KEY_ERRORS,
    *accounts.TOKEN_ERRORS,
    *_BY_SESSION,
    platforms.PermissionDenied,
    ChooseProject,
    NotFound,
)
PLATFORM_AUTH_ERRORS: tuple[type[AppError], ...] = (
    *SECRET_KEY_ERRORS,
    *accounts.TOKEN_ERRORS,
    *_BY_SESSION,
    platforms.PermissionDenied,
    PersonalTokenRequired,
    NotFound,
)
BROWSER_AUTH_ERRORS: tuple[type[AppError], ...] = (
    *SECRET_KEY_ERRORS,
    *accounts.TOKEN_ERRORS,
    platforms.OriginNotAllowed,
)


@dataclass(frozen=True, slots=True)
class RequestedTarget:
    """The platform, project and mode that a request names by headers or query."""

    platform_id: str | None = None
    project_id: str | None = None
    mode: Mode | None = None


async def resolve_key(authenticator: Authenticator, key: Key, named: RequestedTarget) -> ProjectPrincipal:
    """The principal in the key's own project and mode; NotFound where the request names others."""
    own = RequestedTarget(key.platform_id, key.project_id, key.mode)
    if any(getattr(named, name) not in (None, getattr(own, name)) for name in RequestedTarget.__slots__):
        raise NotFound("The key belongs to another platform, project or mode than the request names.")
    project = await authenticator.find_project(key.project_id)
    assert project is not None
    # A browser sends no idempotency keys of the server's.
    caller = key.caller if key.is_secret else f"browser:{project.id}:{key.mode}"
    return ProjectPrincipal(project, key.mode, caller)


async def resolve_token(
    authenticator: Authenticator, token: PersonalToken, named: RequestedTarget, permission: Permission
) -> ProjectPrincipal:
    """The principal in the named project, else in the platform's only one."""
    if named.platform_id is not None:
        await _require_same_platform(authenticator, token, named)
    platforms.require_permission(token.role, permission)
    project = await _project(authenticator, token.platform_no, named.project_id)
    mode = named.mode or "test"
    return ProjectPrincipal(project, mode, f"token:{token.id}:{project.id}:{mode}", token.role)


async def resolve_session(
    authenticator: Authenticator, user: SignedInUser, named: RequestedTarget, permission: Permission
) -> ProjectPrincipal:
    """The principal in the named project, on any of the user's platforms; else in their only one."""
    platform_id = named.platform_id
    if platform_id is None and named.project_id is not None:
        project = await _require_project(authenticator, named.project_id)
        platform_id = project.platform_id
        if user.membership_on(platform_id) is None:
            raise NotFound("Project not found.", param="X-Project-Id")
    own = _membership(user, platform_id)
    platforms.require_permission(own.role, permission)
    project = await _project(authenticator, own.platform.no, named.project_id)
    mode = named.mode or "test"
    session = user.session
    caller = f"{user.caller}:{project.id}:{mode}"
    return ProjectPrincipal(project, mode, caller, own.role, session.user_id, session.shown_name)


def resolve_session_platform(user: SignedInUser, named: RequestedTarget, permission: Permission) -> PlatformPrincipal:
    """The principal on the named platform, else on the user's only one."""
    own = _membership(user, named.platform_id)
    platforms.require_permission(own.role, permission)
    session = user.session
    return PlatformPrincipal(own.platform, own.role, user.caller, session.user_id, session.shown_name)


def _membership(user: SignedInUser, platform_id: str | None) -> Membership:
    if platform_id is not None:
        own = user.membership_on(platform_id)
        if own is None:
            raise NotFound("Platform not found.", param="X-Platform-Id", hint=_YOUR_PLATFORMS)
        return own
    if not user.memberships:
        raise NotFound("You are not a member of any platform yet.", hint="Create one with POST /generate-platform-id.")
    if len(user.memberships) > 1:
        names = [f"{each.platform.name} ({each.platform.id})" for each in user.memberships[:_MOST_LISTED]]
        shown = ", ".join([*names, "…"] if len(user.memberships) > _MOST_LISTED else names)
        raise ChoosePlatform(f"You are a member of several platforms: {shown}.", param="X-Platform-Id")
    return user.memberships[0]


async def resolve_token_platform(
    authenticator: Authenticator, token: PersonalToken, named: RequestedTarget, permission: Permission
) -> PlatformPrincipal:
    platform = await _require_same_platform(authenticator, token, named)
    platforms.require_permission(token.role, permission)
    return PlatformPrincipal(platform, token.role, f"token:{token.id}")


async def _require_same_platform(
    authenticator: Authenticator, token: PersonalToken, named: RequestedTarget
) -> Platform:
    """The token's platform; NotFound where the request names another."""
    async with authenticator.database.read() as tx:
        platform = await platforms.get(tx, token.platform_no)
    if named.platform_id not in (None, platform.id):
        raise NotFound("Platform not found.", param="X-Platform-Id", hint=_NO_PLATFORM)
    return platform


async def _project(authenticator: Authenticator, platform_no: int, project_id: str | None) -> Project:
    if project_id is not None:
        project = await _require_project(authenticator, project_id)
        if project.platform_no != platform_no:
            raise NotFound("Project not found.", param="X-Project-Id")
        return project
    async with authenticator.database.read() as tx:
        found = await platforms.projects_of(tx, platform_no, limit=_MOST_LISTED + 1)
    if not found:
        raise NotFound("The platform has no project yet.", hint="Create one with `dream-api project create`.")
    if len(found) > 1:
        raise ChooseProject(f"The platform has several projects: {_name_projects(found)}.", param="X-Project-Id")
    return found[0]


async def _require_project(authenticator: Authenticator, project_id: str) -> Project:
    """The project, on any platform; the caller checks access."""
    project = await authenticator.find_project(project_id) if ids.is_one("prj", project_id) else None
    if project is None:
        raise NotFound("Project not found.", param="X-Project-Id")
    return project


_YOUR_PLATFORMS = "Name one that you are a member of."
_NO_PLATFORM = "Leave out the platform. A personal token belongs to one platform."


def _name_projects(found: list[Project]) -> str:
    names = [f"{project.name} ({project.id})" for project in found[:_MOST_LISTED]]
    return ", ".join([*names, "…"] if len(found) > _MOST_LISTED else names)


async def authenticate_publishable_key(authenticator: Authenticator, sent: str) -> Key:
    """The key in the X-Publishable-Key header; raises KeyMalformed for a secret one."""
    if not sent.startswith("pk_"):
        raise keys.KeyMalformed("The value in X-Publishable-Key is not a publishable key.")
    return await authenticator.authenticate_key(f"Bearer {sent}")
