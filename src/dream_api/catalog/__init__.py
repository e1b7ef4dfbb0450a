"""What a project sells: its tiers, and the limits they set. The operator's own project sells the levels."""

from dream_api.catalog.levels import LEVELS, Level, assign, ensure_home, home_is_missing, levels_of
from dream_api.catalog.plans import CACHE_KIND, NoPlan, Plan, Plans, UnknownPlan, load
from dream_api.catalog.rules import create_tier, open_project, set_limit

__all__ = [
    "CACHE_KIND",
    "LEVELS",
    "Level",
    "NoPlan",
    "Plan",
    "Plans",
    "UnknownPlan",
    "assign",
    "create_tier",
    "ensure_home",
    "home_is_missing",
    "levels_of",
    "load",
    "open_project",
    "set_limit",
]
