"""Developers: the roles they have on platforms, and the personal tokens (`dpt_…`) by which their programs call."""

from dream_api.accounts.issuing import IssuedToken, TokenAlreadyRevoked, issue, revoke
from dream_api.accounts.queries import find, of_platform
from dream_api.accounts.roles import ROLES, Role
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
    "IssuedToken",
    "PersonalToken",
    "Role",
    "TokenAlreadyRevoked",
    "find",
    "issue",
    "load",
    "of_platform",
    "refuse_unusable",
    "revoke",
    "sent_in",
    "touch",
    "well_formed",
]
