"""What a project sells: its tiers, and the limits they set. The operator's own project sells the levels."""

from dream_api.catalog.levels import (
    LEVELS,
    Home,
    Level,
    assign,
    ensure_home,
    find_home,
    home_is_missing,
    levels_of,
    limits_of,
    set_level,
)
from dream_api.catalog.plans import CACHE_KIND, NoPlan, Plan, Plans, UnknownPlan, load
from dream_api.catalog.rules import SetTier, TierLimit, open_project, set_tier

__all__ = [
    "CACHE_KIND",
    "LEVELS",
    "Home",
    "Level",
    "NoPlan",
    "Plan",
    "Plans",
    "SetTier",
    "TierLimit",
    "UnknownPlan",
    "assign",
    "ensure_home",
    "find_home",
    "home_is_missing",
    "levels_of",
    "limits_of",
    "load",
    "open_project",
    "set_level",
    "set_tier",
]
