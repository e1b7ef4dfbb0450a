"""Sessions of developers: one browser, until sign-out or two weeks without use."""

from collections.abc import Collection
from dataclasses import dataclass

from dream_api.accounts import user_queries
from dream_api.core import clock, ids, tokens
from dream_api.core.cache import invalidate
from dream_api.core.db import Tx
from dream_api.core.errors import Forbidden, NotFound
from dream_api.core.secrets import hash_token

# Cached by the hash in hexadecimal digits.
SESSION_KIND = "session"
_PREFIX = "dss_"
# They end this long after they began, and when nobody came for so long.
_LIFE = 30 * clock.DAY
_IDLE = 14 * clock.DAY
_LONGEST_AGENT = 300


class EmailNotVerified(Forbidden):
    code = "email_not_verified"
    hint = "Open the link in the verification email. To receive another one, go to /account/verify."


@dataclass(frozen=True, slots=True)
class Session:
    """A session and its user."""

    id: str
    user_id: str
    email: str
    name: str
    is_verified: bool
    created_at: int
    last_used_at: int
    expires_at: int

    @property
    def shown_name(self) -> str:
        """How others know the person."""
        return self.name or self.email


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session; its token goes into the browser's cookie and nowhere else."""

    id: str
    token: str


async def open_session(tx: Tx, user_id: str, *, address: str, agent: str) -> OpenedSession:
    """A new session; never an existing one, against session fixation."""
    now = clock.now()
    opened = OpenedSession(ids.new("ses"), tokens.create_token(_PREFIX))
    hashed = hash_token(opened.token)
    row = {
        "id": opened.id,
        "hash": hashed,
        "user_id": user_id,
        "created_at": now,
        "last_used_at": now,
        "expires_at": now + _LIFE,
        "address": address,
        "agent": agent[:_LONGEST_AGENT],
    }
    await user_queries.insert_session(tx, row)
    await invalidate(tx, SESSION_KIND, hashed.hex())
    return opened


async def load_session(tx: Tx, hashed: bytes) -> Session | None:
    """The session with this hash, also one that is over."""
    row = await user_queries.session_by_hash(tx, hashed)
    if row is None:
        return None
    return Session(
        row.id,
        row.user_id,
        row.email,
        row.name,
        row.verified_at is not None,
        row.created_at,
        row.last_used_at,
        row.expires_at,
    )


def is_session_token(text: str) -> bool:
    """Whether the text can be a session's at all."""
    return tokens.has_valid_checksum(text, _PREFIX)


def is_open(session: Session, now: int, *, used_at: int = 0) -> bool:
    """`used_at`: a later use than the one the session itself knows of."""
    return now < session.expires_at and now < max(session.last_used_at, used_at) + _IDLE


async def touch_session(tx: Tx, session_id: str, now: int) -> None:
    """Store when the session was used, at most once an hour."""
    await user_queries.set_session_used(tx, session_id, now, unless_after=now - clock.HOUR)


async def end_session(tx: Tx, user_id: str, session_id: str) -> None:
    """End the session, in every process within a second."""
    ended = [row for row in await user_queries.list_sessions(tx, user_id) if row.id == session_id]
    if not ended:
        raise NotFound(
            "Session not found.",
            param="session",
            hint="It may have expired. Reload the page to see your active sessions.",
        )
    await user_queries.delete_session(tx, user_id, session_id)
    await invalidate(tx, SESSION_KIND, ended[0].hash.hex())


async def end_sessions(tx: Tx, user_id: str, *, but: Collection[str] = ()) -> int:
    """End the user's sessions, except these; returns how many were ended."""
    ended = [row for row in await user_queries.list_sessions(tx, user_id) if row.id not in but]
    for row in ended:
        await user_queries.delete_session(tx, user_id, row.id)
        await invalidate(tx, SESSION_KIND, row.hash.hex())
    return len(ended)


async def invalidate_sessions(tx: Tx, user_id: str) -> None:
    """Invalidate the user's cached sessions, because the user has changed."""
    for row in await user_queries.list_sessions(tx, user_id):
        await invalidate(tx, SESSION_KIND, row.hash.hex())


def require_verified_email(session: Session) -> None:
    """Raises EmailNotVerified where the address is not verified."""
    if not session.is_verified:
        raise EmailNotVerified("The email address is not verified.")
