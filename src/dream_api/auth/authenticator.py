"""The authenticator: knows callers by their keys, personal tokens and sessions; one per process."""

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
    hint = "Call this from your server with the project's sk_ key; never put one into a browser."


# What a call with a secret key can be refused for, wherever it goes.
SECRET_KEY_ERRORS: tuple[type[AppError], ...] = (
    *keys.REFUSALS,
    SecretKeyRequired,
    RateLimited,
    ValidationFailed,
    Overloaded,
    StorageUnavailable,
    OutcomeUnknown,
)


class Authenticator:
    """Knows callers by their keys, tokens and sessions: from memory where that is fresh, else from the database."""

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

    def known_server(self, authorization: str | None) -> Key | None:
        """As `server`, from memory alone; None where the database must be asked."""
        token = authorization[7:] if authorization is not None and authorization[:7] == "Bearer " else ""
        key = self._known_keys.get(sha256(token.encode()).hexdigest()) if self._changes.is_fresh else None
        return None if key is None else _secret(keys.require_active_key(key, clock.now()))

    async def server(self, authorization: str | None) -> Key:
        """The secret key that a request came with; refuses all others and those not in force."""
        known = self.known_server(authorization)
        return known if known is not None else _secret(await self.key(authorization))

    async def key(self, authorization: str | None) -> Key:
        """The key that a request came with, whatever its kind; refuses personal tokens and keys not in force."""
        sent = accounts.token_in_header(authorization)
        if sent is not None:
            await self.token(sent)
            raise SecretKeyRequired("This call needs a key of the project; a personal token was sent.", hint=_A_KEY)
        return keys.require_active_key(await self.keys.of(keys.well_formed(authorization)), clock.now())

    async def token(self, sent: str) -> PersonalToken:
        """The personal token with this text; refuses all else and those not in force."""
        return accounts.require_active_token(await self.tokens.of(accounts.parse_token(sent)), clock.now())

    async def session(self, sent: str) -> Session | None:
        """The session with this text, where it is open."""
        session = await self._sessions.of(sent) if accounts.is_session_token(sent) else None
        if session is None or not accounts.is_open(session, clock.now(), used_at=self._used.get(session.id, 0)):
            return None
        return session

    async def touch(self, token: PersonalToken) -> None:
        """Remember to the hour that the token was used; its caller need not care whether that succeeds."""
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

    async def project(self, project_id: str) -> Project | None:
        """Whoever's it is."""

        async def load() -> Project | None:
            async with self.database.read() as tx:
                return await platforms.load_project(tx, project_id)

        known = self._projects.get(project_id) if self._changes.is_fresh else None
        return known or await self._projects.get_or_load(project_id, load)


_A_KEY = "Send the sk_ key of the project instead; personal tokens are for what developers do themselves."


def _secret(key: Key) -> Key:
    if not key.is_secret:
        raise SecretKeyRequired("This call needs a secret key; a publishable one was sent.")
    return key
