"""Team membership with its seat limit, and a platform's usage of its level."""

from dream_api.tenancy.integrity import checks
from dream_api.tenancy.level_usage import LevelOf, home_scope, level_of, standings_of
from dream_api.tenancy.member_limit import MembersLimitReached, count_members

__all__ = [
    "LevelOf",
    "MembersLimitReached",
    "checks",
    "count_members",
    "home_scope",
    "level_of",
    "standings_of",
]
