"""FastAPI dependencies of endpoints: who may call, and what authenticates them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from dream_api import accounts
from dream_api.accounts import PersonalToken
from dream_api.auth import browser_sessions, tenant_resolution
from dream_api.auth.authenticator import SECRET_KEY_ERRORS, Authenticator
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired
from dream_api.auth.cors import allow_origin
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from dream_api.auth.tenant_resolution import (
    BROWSER_AUTH_ERRORS,
    PLATFORM_AUTH_ERRORS,
    PROJECT_AUTH_ERRORS,
    SESSION_ERRORS,
    PersonalTokenRequired,
    RequestedTarget,
)
from dream_api.core.errors import raises
from dream_api.core.http.dependencies import from_state
from dream_api.identity import PasswordHasher, Provider
from dream_api.keys import Key
from dream_api.platforms import Mode, Permission

_secret_key = HTTPBearer(
    auto_error=False,
    scheme_name="secretKey",
    description="A secret key of the project: `sk_test_…` or `sk_live_…`.",
)
_personal_token = HTTPBearer(
    auto_error=False,
    scheme_name="personalToken",
    description="A developer's personal token, `dpt_…`: it has the permissions of its role.",
)
_publishable_key = APIKeyHeader(
    name="X-Publishable-Key",
    auto_error=False,
    scheme_name="publishableKey",
    description=(
        "A publishable key of the project, `pk_test_…` or `pk_live_…`; it also works in `Authorization: Bearer`."
    ),
)
_session = APIKeyCookie(
    name="dream_session",
    auto_error=False,
    scheme_name="session",
    description="The session of a signed-in developer, which works like a personal token with the developer's role. "
    "Over https, the cookie is named `__Host-dream_session`. Requests that change data must come from a page of this "
    "instance.",
)
_Bearer = HTTPAuthorizationCredentials | None

# The same as an OpenAPI entry, for an operation that reads the key itself.
SERVER_SECURITY: dict[str, Any] = {"security": [{_secret_key.scheme_name: []}]}


AuthenticatorDep = Annotated[Authenticator, Depends(from_state("authenticator"))]
PasswordsDep = Annotated[PasswordHasher, Depends(from_state("passwords"))]
ProviderDep = Annotated[Provider | None, Depends(from_state("provider"))]


def _authorization(request: Request) -> str | None:
    return request.headers.get("authorization")


@raises(*SECRET_KEY_ERRORS)
async def _server(
    request: Request, authenticator: AuthenticatorDep, _: Annotated[_Bearer, Security(_secret_key)] = None
) -> Key:
    return await authenticator.authenticate_secret_key(_authorization(request))


async def _developer(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[_Bearer, Security(_personal_token)] = None,
    __: Annotated[str | None, Security(_session)] = None,
) -> PersonalToken | SignedInUser:
    user = await browser_sessions.session_from_cookie(request) if _authorization(request) is None else None
    if user is not None:
        return user
    sent = accounts.token_in_header(_authorization(request))
    if sent is None:
        await authenticator.authenticate_key(_authorization(request))
        raise PersonalTokenRequired("This operation needs a personal token, but the request has an API key.")
    token = await authenticator.authenticate_token(sent)
    await authenticator.touch(token)
    return token


async def _server_or_developer(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[_Bearer, Security(_secret_key)] = None,
    __: Annotated[_Bearer, Security(_personal_token)] = None,
    ___: Annotated[str | None, Security(_session)] = None,
) -> Key | PersonalToken | SignedInUser:
    user = await browser_sessions.session_from_cookie(request) if _authorization(request) is None else None
    if user is not None:
        return user
    is_token = accounts.token_in_header(_authorization(request)) is not None
    return await (_developer(request, authenticator) if is_token else _server(request, authenticator))


@raises(*SESSION_ERRORS)
async def _current_user(request: Request, _: Annotated[str | None, Security(_session)] = None) -> SignedInUser:
    user = await browser_sessions.session_from_cookie(request)
    if user is None:
        raise SignInRequired("You are not signed in.")
    return user


def _requested_target(
    platform_id: Annotated[
        str | None, Header(alias="X-Platform-Id", description="The platform, if you are a member of several.")
    ] = None,
    project_id: Annotated[
        str | None,
        Header(alias="X-Project-Id", description="For developers: the project, if the platform has several."),
    ] = None,
    mode: Annotated[
        Mode | None, Header(alias="X-Mode", description="For developers: the mode. `test` by default.")
    ] = None,
    platform_asked: Annotated[str | None, Query(alias="platformId", description="Same as X-Platform-Id.")] = None,
    project_asked: Annotated[str | None, Query(alias="projectId", description="Same as X-Project-Id.")] = None,
    mode_asked: Annotated[Mode | None, Query(alias="mode", description="Same as X-Mode.")] = None,
) -> RequestedTarget:
    return RequestedTarget(
        _header_or_query(platform_id, platform_asked), _header_or_query(project_id, project_asked), mode or mode_asked
    )


def _header_or_query(header: str | None, asked: str | None) -> str | None:
    """Headers take precedence over the query, also where they are empty."""
    return asked if header is None else header


def require_project_permission(permission: Permission) -> Callable[..., Awaitable[ProjectPrincipal]]:
    """A dependency: a server in its own project, or a developer whose role has the permission."""

    # Authentication comes first: only an authenticated caller gets errors about anything else.
    @raises(*PROJECT_AUTH_ERRORS)
    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[Key | PersonalToken | SignedInUser, Depends(_server_or_developer)],
        named: Annotated[RequestedTarget, Depends(_requested_target)],
    ) -> ProjectPrincipal:
        if isinstance(caller, Key):
            return await tenant_resolution.resolve_key(authenticator, caller, named)
        if isinstance(caller, SignedInUser):
            return await tenant_resolution.resolve_session(authenticator, caller, named, permission)
        return await tenant_resolution.resolve_token(authenticator, caller, named, permission)

    return find


def require_developer_permission(permission: Permission) -> Callable[..., Awaitable[ProjectPrincipal]]:
    """A dependency: a developer in a project, whose role has the permission; API keys are rejected."""

    @raises(*PROJECT_AUTH_ERRORS, PersonalTokenRequired)
    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[PersonalToken | SignedInUser, Depends(_developer)],
        named: Annotated[RequestedTarget, Depends(_requested_target)],
    ) -> ProjectPrincipal:
        if isinstance(caller, SignedInUser):
            return await tenant_resolution.resolve_session(authenticator, caller, named, permission)
        return await tenant_resolution.resolve_token(authenticator, caller, named, permission)

    return find


def require_platform_permission(permission: Permission) -> Callable[..., Awaitable[PlatformPrincipal]]:
    """A dependency: a developer on a platform, whose role has the permission; API keys are rejected."""

    @raises(*PLATFORM_AUTH_ERRORS)
    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[PersonalToken | SignedInUser, Depends(_developer)],
        platform_id: Annotated[
            str | None, Header(alias="X-Platform-Id", description="The platform, if you are a member of several.")
        ] = None,
        platform_asked: Annotated[str | None, Query(alias="platformId", description="Same as X-Platform-Id.")] = None,
    ) -> PlatformPrincipal:
        named = RequestedTarget(_header_or_query(platform_id, platform_asked))
        if isinstance(caller, SignedInUser):
            return tenant_resolution.resolve_session_platform(caller, named, permission)
        return await tenant_resolution.resolve_token_platform(authenticator, caller, named, permission)

    return find


@raises(*BROWSER_AUTH_ERRORS)
async def _browser(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[str | None, Security(_publishable_key)] = None,
    __: Annotated[_Bearer, Security(_secret_key)] = None,
) -> ProjectPrincipal:
    sent = request.headers.get("x-publishable-key")
    authorization = _authorization(request)
    if sent is not None and authorization is None:
        key = await tenant_resolution.authenticate_publishable_key(authenticator, sent)
    else:
        key = await authenticator.authenticate_key(authorization)
    found = await tenant_resolution.resolve_key(authenticator, key, RequestedTarget())
    allow_origin(request, found)
    return found


# A developer's server, by its secret key.
SecretKeyAuth = Annotated[Key, Depends(_server)]
# The server, or a developer whose role may see; may sell; may give money back, some of them up to the project's limit.
CanView = Annotated[ProjectPrincipal, Depends(require_project_permission("view"))]
CanSell = Annotated[ProjectPrincipal, Depends(require_project_permission("sell"))]
CanRefund = Annotated[ProjectPrincipal, Depends(require_project_permission("refund_some"))]
# Anybody who knows the project's publishable key.
PublishableKeyAuth = Annotated[ProjectPrincipal, Depends(_browser)]
# A developer in a project who works with its test keys.
CanManageTestKeys = Annotated[ProjectPrincipal, Depends(require_developer_permission("test_keys"))]
# A developer of any role; one who chooses who works there; one who runs the platform; one who owns it.
PlatformMember = Annotated[PlatformPrincipal, Depends(require_platform_permission("view"))]
CanManageTeam = Annotated[PlatformPrincipal, Depends(require_platform_permission("team"))]
CanManagePlatform = Annotated[PlatformPrincipal, Depends(require_platform_permission("manage"))]
CanManageBilling = Annotated[PlatformPrincipal, Depends(require_platform_permission("bill"))]
# Somebody who is signed in, whether or not they are on any platform.
CurrentUser = Annotated[SignedInUser, Depends(_current_user)]


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="For 24 hours, a request with the same key and body returns the first response again.",
    ),
]
