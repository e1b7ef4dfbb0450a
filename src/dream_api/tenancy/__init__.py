"""Team membership with its seat limit, and a platform's usage of its level."""

from dream_api.tenancy.integrity import checks
from dream_api.tenancy.level_usage import PlatformLevel, get_platform_level, home_scope, level_usage
from dream_api.tenancy.member_limit import MembersLimitReached, sync_member_count

__all__ = [
    "MembersLimitReached",
    "PlatformLevel",
    "checks",
    "get_platform_level",
    "home_scope",
    "level_usage",
    "sync_member_count",
]
