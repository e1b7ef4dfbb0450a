"""Team membership with its seat limit, and a platform's usage of its level."""

from dream_api.tenancy.integrity import checks
from dream_api.tenancy.level_usage import PlatformLevel, home_scope, level_of, level_usage
from dream_api.tenancy.member_limit import MembersLimitReached, sync_member_count

__all__ = [
    "MembersLimitReached",
    "PlatformLevel",
    "checks",
    "home_scope",
    "level_of",
    "level_usage",
    "sync_member_count",
]
