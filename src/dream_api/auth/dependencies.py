"""FastAPI dependencies of endpoints: who may call, and what authenticates them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from dream_api import accounts
from dream_api.accounts import PersonalToken
from dream_api.auth import browser_sessions, tenant_resolution
from dream_api.auth.authenticator import Authenticator
from dream_api.auth.browser_sessions import SignedInUser, SignInRequired
from dream_api.auth.cors import allow_origin
from dream_api.auth.principals import PlatformPrincipal, ProjectPrincipal
from dream_api.auth.tenant_resolution import PersonalTokenRequired, RequestedTarget
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
    description="A developer's personal token, `dpt_…`: it may do what its role allows.",
)
_publishable_key = APIKeyHeader(
    name="X-Publishable-Key",
    auto_error=False,
    scheme_name="publishableKey",
    description="A publishable key of the project, `pk_test_…` or `pk_live_…`; `Authorization: Bearer` takes it too.",
)
_session = APIKeyCookie(
    name="dream_session",
    auto_error=False,
    scheme_name="session",
    description="A developer who is signed in: as good as a personal token, with the role that they have. Over https "
    "the cookie is named `__Host-dream_session`. What changes anything must come from a page of this instance itself.",
)
_Bearer = HTTPAuthorizationCredentials | None

# The same, told of an operation that looks at the key itself.
SERVER_SECURITY: dict[str, Any] = {"security": [{_secret_key.scheme_name: []}]}


AuthenticatorDep = Annotated[Authenticator, Depends(from_state("authenticator"))]
PasswordsDep = Annotated[PasswordHasher, Depends(from_state("passwords"))]
ProviderDep = Annotated[Provider | None, Depends(from_state("provider"))]


def _authorization(request: Request) -> str | None:
    return request.headers.get("authorization")


async def _server(
    request: Request, authenticator: AuthenticatorDep, _: Annotated[_Bearer, Security(_secret_key)] = None
) -> Key:
    return await authenticator.server(_authorization(request))


async def _developer(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[_Bearer, Security(_personal_token)] = None,
    __: Annotated[str | None, Security(_session)] = None,
) -> PersonalToken | SignedInUser:
    visitor = await browser_sessions.session_from_cookie(request) if _authorization(request) is None else None
    if visitor is not None:
        return visitor
    sent = accounts.token_in_header(_authorization(request))
    if sent is None:
        await authenticator.key(_authorization(request))
        raise PersonalTokenRequired("This is done by a developer, not by a key of a project.")
    token = await authenticator.token(sent)
    await authenticator.touch(token)
    return token


async def _server_or_developer(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[_Bearer, Security(_secret_key)] = None,
    __: Annotated[_Bearer, Security(_personal_token)] = None,
    ___: Annotated[str | None, Security(_session)] = None,
) -> Key | PersonalToken | SignedInUser:
    visitor = await browser_sessions.session_from_cookie(request) if _authorization(request) is None else None
    if visitor is not None:
        return visitor
    is_token = accounts.token_in_header(_authorization(request)) is not None
    return await (_developer(request, authenticator) if is_token else _server(request, authenticator))


async def _person(request: Request, _: Annotated[str | None, Security(_session)] = None) -> SignedInUser:
    visitor = await browser_sessions.session_from_cookie(request)
    if visitor is None:
        raise SignInRequired("Nobody is signed in.")
    return visitor


def _named(
    platform_id: Annotated[
        str | None, Header(alias="X-Platform-Id", description="Which platform, where you are on several.")
    ] = None,
    project_id: Annotated[
        str | None, Header(alias="X-Project-Id", description="For developers: which project, where several.")
    ] = None,
    mode: Annotated[
        Mode | None, Header(alias="X-Mode", description="For developers: which mode; `test` where left out.")
    ] = None,
    platform_asked: Annotated[str | None, Query(alias="platformId", description="As X-Platform-Id.")] = None,
    project_asked: Annotated[str | None, Query(alias="projectId", description="As X-Project-Id.")] = None,
    mode_asked: Annotated[Mode | None, Query(alias="mode", description="As X-Mode.")] = None,
) -> RequestedTarget:
    return RequestedTarget(_told(platform_id, platform_asked), _told(project_id, project_asked), mode or mode_asked)


def _told(header: str | None, asked: str | None) -> str | None:
    """Headers go before the query; what is empty was told, and names nothing."""
    return asked if header is None else header


def acting(permission: Permission) -> Callable[..., Awaitable[ProjectPrincipal]]:
    """A dependency: a server in its own project, or a developer whose role has the permission."""

    # Who calls is found first: only then is it told what is wrong with anything else.
    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[Key | PersonalToken | SignedInUser, Depends(_server_or_developer)],
        named: Annotated[RequestedTarget, Depends(_named)],
    ) -> ProjectPrincipal:
        if isinstance(caller, Key):
            return await tenant_resolution.resolve_key(authenticator, caller, named)
        if isinstance(caller, SignedInUser):
            return await tenant_resolution.resolve_session(authenticator, caller, named, permission)
        return await tenant_resolution.by_token(authenticator, caller, named, permission)

    return find


def developing(permission: Permission) -> Callable[..., Awaitable[ProjectPrincipal]]:
    """A dependency: a developer at work in a project, whose role has the permission; no key of the project."""

    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[PersonalToken | SignedInUser, Depends(_developer)],
        named: Annotated[RequestedTarget, Depends(_named)],
    ) -> ProjectPrincipal:
        if isinstance(caller, SignedInUser):
            return await tenant_resolution.resolve_session(authenticator, caller, named, permission)
        return await tenant_resolution.by_token(authenticator, caller, named, permission)

    return find


def on_platform(permission: Permission) -> Callable[..., Awaitable[PlatformPrincipal]]:
    """A dependency: a developer whose role has the permission; keys belong to projects."""

    async def find(
        request: Request,
        authenticator: AuthenticatorDep,
        caller: Annotated[PersonalToken | SignedInUser, Depends(_developer)],
        platform_id: Annotated[
            str | None, Header(alias="X-Platform-Id", description="Which platform, where you are on several.")
        ] = None,
        platform_asked: Annotated[str | None, Query(alias="platformId", description="As X-Platform-Id.")] = None,
    ) -> PlatformPrincipal:
        named = RequestedTarget(_told(platform_id, platform_asked))
        if isinstance(caller, SignedInUser):
            return tenant_resolution.at_work(caller, named, permission)
        return await tenant_resolution.on_platform(authenticator, caller, named, permission)

    return find


async def _browser(
    request: Request,
    authenticator: AuthenticatorDep,
    _: Annotated[str | None, Security(_publishable_key)] = None,
    __: Annotated[_Bearer, Security(_secret_key)] = None,
) -> ProjectPrincipal:
    sent = request.headers.get("x-publishable-key")
    authorization = _authorization(request)
    if sent is not None and authorization is None:
        key = await tenant_resolution.publishable(authenticator, sent)
    else:
        key = await authenticator.key(authorization)
    found = await tenant_resolution.resolve_key(authenticator, key, RequestedTarget())
    allow_origin(request, found)
    return found


# A developer's server, by its secret key.
SecretKeyAuth = Annotated[Key, Depends(_server)]
# The server, or a developer whose role may see; may sell; may give money back, some of them up to the project's limit.
CanView = Annotated[ProjectPrincipal, Depends(acting("view"))]
CanSell = Annotated[ProjectPrincipal, Depends(acting("sell"))]
CanRefund = Annotated[ProjectPrincipal, Depends(acting("refund_some"))]
# Anybody who knows the project's publishable key.
PublishableKeyAuth = Annotated[ProjectPrincipal, Depends(_browser)]
# A developer in a project who works with its test keys.
CanManageTestKeys = Annotated[ProjectPrincipal, Depends(developing("test_keys"))]
# A developer of any role; one who chooses who works there; one who runs the platform; one who owns it.
PlatformMember = Annotated[PlatformPrincipal, Depends(on_platform("view"))]
CanManageTeam = Annotated[PlatformPrincipal, Depends(on_platform("team"))]
CanManagePlatform = Annotated[PlatformPrincipal, Depends(on_platform("manage"))]
CanManageBilling = Annotated[PlatformPrincipal, Depends(on_platform("bill"))]
# Somebody who is signed in, whether or not they are on any platform.
CurrentUser = Annotated[SignedInUser, Depends(_person)]


IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="The same key and body get the first answer again for 24 hours."),
]
