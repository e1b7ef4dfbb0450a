"""Developers: who they are, the roles they have on platforms, the sessions in which they are signed in, and the
personal tokens (`dpt_…`) by which their programs call."""

from dream_api.accounts.issuing import IssuedToken, TokenAlreadyRevoked, issue, revoke
from dream_api.accounts.queries import find, of_platform
from dream_api.accounts.roles import ROLES, Role
from dream_api.accounts.sessions import (
    SESSION_KIND,
    OpenedSession,
    Session,
    end_session,
    end_sessions,
    is_open,
    is_session,
    load_session,
    open_session,
    touch_session,
)
from dream_api.accounts.user_queries import sessions_of, users_by_id
from dream_api.accounts.users import EmailTaken, User, create_user, find_user, proper_email, user_of
from dream_api.accounts.verifying import (
    CACHE_KIND,
    REFUSALS,
    PersonalToken,
    load,
    refuse_unusable,
    sent_in,
    touch,
    well_formed,
)

__all__ = [
    "CACHE_KIND",
    "REFUSALS",
    "ROLES",
    "SESSION_KIND",
    "EmailTaken",
    "IssuedToken",
    "OpenedSession",
    "PersonalToken",
    "Role",
    "Session",
    "TokenAlreadyRevoked",
    "User",
    "create_user",
    "end_session",
    "end_sessions",
    "find",
    "find_user",
    "is_open",
    "is_session",
    "issue",
    "load",
    "load_session",
    "of_platform",
    "open_session",
    "proper_email",
    "refuse_unusable",
    "revoke",
    "sent_in",
    "sessions_of",
    "touch",
    "touch_session",
    "user_of",
    "users_by_id",
    "well_formed",
]
