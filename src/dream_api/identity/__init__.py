"""Authentication of people: passwords, one-time links, second factors, sign-in by OpenID Connect."""

from dream_api.identity.attempts import LoginAttempt, register_attempt, reset_attempts
from dream_api.identity.one_time_links import (
    Link,
    LinkExpired,
    create_link_token,
    delete_links,
    derive_link_token,
    find_link,
    find_pending_link,
    issue_link,
    use_link,
)
from dream_api.identity.passwords import ARGON2, PasswordHasher, validate_password
from dream_api.identity.provider import Claims, Flow, Provider, ProviderSignInFailed
from dream_api.identity.provider_factory import open_provider
from dream_api.identity.recovery_codes import count_recovery_codes
from dream_api.identity.totp import (
    CodeKind,
    TOTPEnrollment,
    TwoFactorCodeInvalid,
    confirm_totp,
    disable_totp,
    enroll_totp,
    has_second_factor,
    renew_recovery_codes,
    verify_totp,
)

__all__ = [
    "ARGON2",
    "Claims",
    "CodeKind",
    "Flow",
    "Link",
    "LinkExpired",
    "LoginAttempt",
    "PasswordHasher",
    "Provider",
    "ProviderSignInFailed",
    "TOTPEnrollment",
    "TwoFactorCodeInvalid",
    "confirm_totp",
    "count_recovery_codes",
    "create_link_token",
    "delete_links",
    "derive_link_token",
    "disable_totp",
    "enroll_totp",
    "find_link",
    "find_pending_link",
    "has_second_factor",
    "issue_link",
    "open_provider",
    "register_attempt",
    "renew_recovery_codes",
    "reset_attempts",
    "use_link",
    "validate_password",
    "verify_totp",
]
