"""How people of any kind show who they are: passwords, one-time links, second factors, other providers' sign-in."""

from dream_api.identity.attempts import LoginAttempt, register_attempt, reset_attempts
from dream_api.identity.one_time_links import (
    Link,
    LinkExpired,
    find_link,
    forget_links,
    issue_link,
    make_link,
    use_link,
)
from dream_api.identity.passwords import ARGON2, PasswordHasher, validate_password
from dream_api.identity.provider import Claims, Flow, Provider, ProviderFailed
from dream_api.identity.provider_factory import open_provider
from dream_api.identity.recovery_codes import codes_left
from dream_api.identity.totp import (
    CodeKind,
    CodeWrong,
    Enrolment,
    confirm_factor,
    disable_totp,
    enroll_totp,
    has_factor,
    renew_codes,
    verify_totp,
)

__all__ = [
    "ARGON2",
    "Claims",
    "CodeKind",
    "CodeWrong",
    "Enrolment",
    "Flow",
    "Link",
    "LinkExpired",
    "LoginAttempt",
    "PasswordHasher",
    "Provider",
    "ProviderFailed",
    "codes_left",
    "confirm_factor",
    "disable_totp",
    "enroll_totp",
    "find_link",
    "forget_links",
    "has_factor",
    "issue_link",
    "make_link",
    "open_provider",
    "register_attempt",
    "renew_codes",
    "reset_attempts",
    "use_link",
    "validate_password",
    "verify_totp",
]
