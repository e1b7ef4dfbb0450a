"""Authentication of callers by API key, personal token or session, with caches; one authenticator per process."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256

from dream_api import accounts, keys, platforms
from dream_api.accounts import PersonalToken, Session
from dream_api.auth.credential_cache import CredentialCache
from dream_api.auth.token_roles import load_token
from dream_api.core import clock
from dream_api.core.cache import Cache, CacheInvalidator, memoize
from dream_api.core.db import Database
from dream_api.core.errors import AppError, Forbidden, OutcomeUnknown, Overloaded, StorageUnavailable, ValidationFailed
from dream_api.core.ratelimit import RateLimited
from dream_api.keys import Key
from dream_api.platforms import Project

_KEYS = 20_000
_UNKNOWN_KEYS = 10_000
_TOKENS = 10_000
_PROJECTS = 10_000


class SecretKeyRequired(Forbidden):
    code = "secret_key_required"
    hint = (
        "Send the request from your server, with the project's secret key (sk_…). Never use a secret key in a browser."
    )


# Errors of any call; of calls with a secret key.
CALL_ERRORS: tuple[type[AppError], ...] = (
    RateLimited,
    ValidationFailed,
    Overloaded,
    StorageUnavailable,
    OutcomeUnknown,
)
SECRET_KEY_ERRORS: tuple[type[AppError], ...] = (
    *keys.KEY_ERRORS,
    SecretKeyRequired,
    *CALL_ERRORS,
)


class Authenticator:
    """Authenticates callers by their keys, tokens and sessions: from caches while these are fresh, else from the
    database."""

    def __init__(self, database: Database, changes: CacheInvalidator) -> None:
        self.database = database
        self._changes = changes
        self._projects = Cache[Project](platforms.CACHE_KIND, size=_PROJECTS)
        changes.register(self._projects)
        self.keys = CredentialCache(
            keys.CACHE_KIND, database, changes, keys.load, size=_KEYS, unknown_size=_UNKNOWN_KEYS
        )
        self.tokens = CredentialCache(
            accounts.CACHE_KIND, database, changes, load_token, size=_TOKENS, unknown_size=_UNKNOWN_KEYS
        )
        self._sessions = CredentialCache(
            accounts.SESSION_KIND,
            database,
            changes,
            accounts.load_session,
            size=_TOKENS,
            unknown_size=_UNKNOWN_KEYS,
        )
        self._known_keys = self.keys.known
        self._used: dict[str, int] = {}

    def cached_secret_key(self, authorization: str | None) -> Key | None:
        """As `authenticate_secret_key`, from the cache alone; None where the database must be asked."""
        token = authorization[7:] if authorization is not None and authorization[:7] == "Bearer " else ""
        key = self._known_keys.get(sha256(token.encode()).hexdigest()) if self._changes.is_fresh else None
        return None if key is None else _require_secret(keys.require_active_key(key, clock.now()))

    async def authenticate_secret_key(self, authorization: str | None) -> Key:
        """The secret key in the Authorization header; raises one of SECRET_KEY_ERRORS."""
        known = self.cached_secret_key(authorization)
        return known if known is not None else _require_secret(await self.authenticate_key(authorization))

    async def authenticate_key(self, authorization: str | None) -> Key:
        """The key in the Authorization header, secret or publishable; raises for personal tokens and inactive keys."""
        sent = accounts.token_in_header(authorization)
        if sent is not None:
            await self.authenticate_token(sent)
            raise SecretKeyRequired(
                "This operation needs an API key, but the request has a personal token.", hint=_A_KEY
            )
        return keys.require_active_key(await self.keys.get(keys.parse_key(authorization)), clock.now())

    async def authenticate_token(self, sent: str) -> PersonalToken:
        """The personal token with this text; raises where it is unknown, expired or revoked."""
        return accounts.require_active_token(await self.tokens.get(accounts.parse_token(sent)), clock.now())

    async def find_session(self, sent: str) -> Session | None:
        """The session with this text, where it is open."""
        session = await self._sessions.get(sent) if accounts.is_session_token(sent) else None
        if session is None or not accounts.is_open(session, clock.now(), used_at=self._used.get(session.id, 0)):
            return None
        return session

    async def touch(self, token: PersonalToken) -> None:
        """Store when the token was last used, to the hour; failures of the database are ignored."""
        await self._touch(token.id, token.last_used_at or 0, partial(accounts.touch_token, token=token))

    async def touch_session(self, session: Session) -> None:
        """As `touch`, for a session."""
        await self._touch(session.id, session.last_used_at, partial(accounts.touch_session, session_id=session.id))

    async def _touch(self, caller_id: str, used_at: int, write: Callable[..., Awaitable[None]]) -> None:
        now = clock.now()
        if max(used_at, self._used.get(caller_id, 0)) > now - clock.HOUR:
            return
        memoize(self._used, caller_id, now)
        with suppress(Overloaded, StorageUnavailable, OutcomeUnknown):
            async with self.database.write() as tx:
                await write(tx, now=now)

    async def find_project(self, project_id: str) -> Project | None:
        """The project with this id, on any platform; the caller checks access."""

        async def load() -> Project | None:
            async with self.database.read() as tx:
                return await platforms.load_project(tx, project_id)

        known = self._projects.get(project_id) if self._changes.is_fresh else None
        return known or await self._projects.get_or_load(project_id, load)


_A_KEY = "Send the project's secret key (sk_…) instead of a personal token."


def _require_secret(key: Key) -> Key:
    if not key.is_secret:
        raise SecretKeyRequired("This operation needs a secret key, but the request has a publishable key.")
    return key
