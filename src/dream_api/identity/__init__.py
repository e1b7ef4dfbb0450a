"""How people of any kind show who they are: passwords, one-time links, second factors, other providers' sign-in."""

from dream_api.identity.attempts import Try, claim, forgive
from dream_api.identity.one_time_links import (
    Link,
    LinkUnusable,
    forget_links,
    issue_link,
    look_up_link,
    make_link,
    use_link,
)
from dream_api.identity.passwords import ARGON2, Passwords, proper_password
from dream_api.identity.provider import Claims, Flow, Provider, ProviderFailed
from dream_api.identity.provider_factory import open_provider
from dream_api.identity.recovery_codes import codes_left
from dream_api.identity.totp import (
    CodeKind,
    CodeWrong,
    Enrolment,
    begin_factor,
    confirm_factor,
    end_factor,
    has_factor,
    pass_factor,
    renew_codes,
)

__all__ = [
    "ARGON2",
    "Claims",
    "CodeKind",
    "CodeWrong",
    "Enrolment",
    "Flow",
    "Link",
    "LinkUnusable",
    "Passwords",
    "Provider",
    "ProviderFailed",
    "Try",
    "begin_factor",
    "claim",
    "codes_left",
    "confirm_factor",
    "end_factor",
    "forget_links",
    "forgive",
    "has_factor",
    "issue_link",
    "look_up_link",
    "make_link",
    "open_provider",
    "pass_factor",
    "proper_password",
    "renew_codes",
    "use_link",
]
