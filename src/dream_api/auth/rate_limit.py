"""Rate limits of callers: by address without a valid credential, by key where the key has a limit."""

from collections.abc import Awaitable, Collection
from contextlib import suppress
from typing import TypeVar

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from dream_api import accounts
from dream_api.auth.authenticator import Authenticator, SecretKeyRequired
from dream_api.core.errors import Unauthorized
from dream_api.core.http import rate_limit_key
from dream_api.core.ratelimit import RateLimiter, enforce_rate
from dream_api.keys import Key

T = TypeVar("T")

# A request that fails with one of these is limited by its address.
UNAUTHENTICATED_ERRORS = (Unauthorized, SecretKeyRequired)


class CallerRateLimiter:
    """Limits requests without a valid credential by their address; requests with one are limited by their key alone."""

    def __init__(self, authenticator: Authenticator, rates: RateLimiter, *, open_rate: int) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._open_rate = open_rate

    async def check_caller(self, authorization: str | None, client: str | None, session: str | None = None) -> None:
        """Authenticate any caller (secret key, personal token or session) and count the request; raises RateLimited."""
        sent = accounts.token_in_header(authorization)
        if sent is not None:
            await self._recognised(self._authenticator.authenticate_token(sent), client)
        elif authorization is not None or session is None or await self._authenticator.find_session(session) is None:
            await self.check_secret_key(authorization, client)

    async def check_secret_key(self, authorization: str | None, client: str | None) -> Key:
        """Authenticate a secret key and count the request; RateLimited where the key, or an address without, came too
        often."""
        key = await self._recognised(self._authenticator.authenticate_secret_key(authorization), client)
        if key.rate_limit is not None:
            await enforce_rate(self._rates, f"key:{key.id}", key.rate_limit, whose="key")
        return key

    async def _recognised(self, caller: Awaitable[T], client: str | None) -> T:
        try:
            return await caller
        except UNAUTHENTICATED_ERRORS:
            if self._open_rate:
                await enforce_rate(self._rates, f"address:{rate_limit_key(client)}", self._open_rate, whose="address")
            raise


class RateLimitMiddleware:
    """The middleware that counts every request once, but for those to the `exempt` paths."""

    def __init__(self, app: ASGIApp, limiter: CallerRateLimiter, exempt: Collection[str], session_cookie: str) -> None:
        self._app = app
        self._session_cookie = session_cookie
        self._limiter = limiter
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            with suppress(*UNAUTHENTICATED_ERRORS):  # the endpoint decides who may call
                cookies = cookie_parser(get_header(scope, b"cookie") or "")
                await self._limiter.check_caller(
                    get_header(scope, b"authorization"), client_address(scope), cookies.get(self._session_cookie)
                )
        await self._app(scope, receive, send)


def client_address(scope: Scope) -> str | None:
    return scope["client"][0] if scope.get("client") else None


def get_header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
