"""How often callers may come: by their address without a working key or token, by the key where it is limited."""

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

# With these a request is as open as one that came without any key.
UNAUTHENTICATED_ERRORS = (Unauthorized, SecretKeyRequired)


class CallerRateLimiter:
    """Counts requests, so that guessing keys costs the guesser and a good key is never slowed by its neighbours."""

    def __init__(self, authenticator: Authenticator, rates: RateLimiter, *, open_rate: int) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._open_rate = open_rate

    async def admit(self, authorization: str | None, client: str | None, session: str | None = None) -> None:
        """As `server`, but a personal token is as good as a secret key, and so is an open session."""
        sent = accounts.token_in_header(authorization)
        if sent is not None:
            await self._recognised(self._authenticator.token(sent), client)
        elif authorization is not None or session is None or await self._authenticator.session(session) is None:
            await self.server(authorization, client)

    async def server(self, authorization: str | None, client: str | None) -> Key:
        """As the authenticator's, counted; RateLimited where the key, or the address of one without, came too often."""
        key = await self._recognised(self._authenticator.server(authorization), client)
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

    def __init__(
        self, app: ASGIApp, turnstile: CallerRateLimiter, exempt: Collection[str], session_cookie: str
    ) -> None:
        self._app = app
        self._session_cookie = session_cookie
        self._turnstile = turnstile
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            with suppress(*UNAUTHENTICATED_ERRORS):  # the endpoint says who may come in
                cookies = cookie_parser(header_of(scope, b"cookie") or "")
                await self._turnstile.admit(
                    header_of(scope, b"authorization"), client_address(scope), cookies.get(self._session_cookie)
                )
        await self._app(scope, receive, send)


def client_address(scope: Scope) -> str | None:
    return scope["client"][0] if scope.get("client") else None


def header_of(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
