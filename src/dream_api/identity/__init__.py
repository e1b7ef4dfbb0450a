"""How people of any kind show who they are: passwords, one-time links, second factors, other providers' sign-in."""

from dream_api.identity.attempts import claim, forgive
from dream_api.identity.flows import Claims, Flow, Provider, ProviderFailed
from dream_api.identity.links import (
    Link,
    LinkUnusable,
    forget_links,
    issue_link,
    look_up_link,
    make_link,
    use_link,
)
from dream_api.identity.opening import open_provider
from dream_api.identity.passwords import ARGON2, Passwords, proper_password
from dream_api.identity.recovery import codes_left, make_codes
from dream_api.identity.second_factors import (
    CodeWrong,
    Enrolment,
    begin_factor,
    confirm_factor,
    end_factor,
    has_factor,
    pass_factor,
)

__all__ = [
    "ARGON2",
    "Claims",
    "CodeWrong",
    "Enrolment",
    "Flow",
    "Link",
    "LinkUnusable",
    "Passwords",
    "Provider",
    "ProviderFailed",
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
    "make_codes",
    "make_link",
    "open_provider",
    "pass_factor",
    "proper_password",
    "use_link",
]
