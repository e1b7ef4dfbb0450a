"""Developers: who they are, the roles they have on platforms, the sessions in which they are signed in, and the
personal tokens (`dpt_…`) by which their programs call."""

from dream_api.accounts.deferred_mail import ask_for_reset, ask_to_verify, notify
from dream_api.accounts.external_identities import Arrival, arrive
from dream_api.accounts.password_sign_in import (
    CODE_LINK,
    PasswordWrong,
    SignInRefused,
    confirm_password,
    enter,
    pass_code,
    sign_in,
)
from dream_api.accounts.profile import RESET_LINK, VERIFY_LINK, close, rename, reset_password, set_password, verify
from dream_api.accounts.registration import sign_up
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
from dream_api.accounts.token_issuance import (
    IssuedToken,
    TokenAlreadyRevoked,
    issue,
    note_tokens,
    revoke,
    revoke_all,
    revoke_on,
)
from dream_api.accounts.token_queries import find, of_platform, of_user
from dream_api.accounts.token_verification import (
    CACHE_KIND,
    REFUSALS,
    PersonalToken,
    load,
    refuse_unusable,
    sent_in,
    touch,
    well_formed,
)
from dream_api.accounts.user_queries import hold_user, sessions_of, users_by_id
from dream_api.accounts.users import EmailTaken, User, create_user, find_user, proper_email, user_of

__all__ = [
    "CACHE_KIND",
    "CODE_LINK",
    "REFUSALS",
    "RESET_LINK",
    "ROLES",
    "SESSION_KIND",
    "VERIFY_LINK",
    "Arrival",
    "EmailTaken",
    "IssuedToken",
    "OpenedSession",
    "PasswordWrong",
    "PersonalToken",
    "Role",
    "Session",
    "SignInRefused",
    "TokenAlreadyRevoked",
    "User",
    "arrive",
    "ask_for_reset",
    "ask_to_verify",
    "close",
    "confirm_password",
    "create_user",
    "end_session",
    "end_sessions",
    "enter",
    "find",
    "find_user",
    "hold_user",
    "is_open",
    "is_session",
    "issue",
    "load",
    "load_session",
    "note_tokens",
    "notify",
    "of_platform",
    "of_user",
    "open_session",
    "pass_code",
    "proper_email",
    "refuse_unusable",
    "rename",
    "reset_password",
    "revoke",
    "revoke_all",
    "revoke_on",
    "sent_in",
    "sessions_of",
    "set_password",
    "sign_in",
    "sign_up",
    "touch",
    "touch_session",
    "user_of",
    "users_by_id",
    "verify",
    "well_formed",
]
