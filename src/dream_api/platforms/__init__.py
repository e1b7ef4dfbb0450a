"""Tenants and what they sell: platforms, their projects, and the numbers that stand for them."""

from dream_api.platforms.numbers import draw, draw_locked, hold_numbers, move
from dream_api.platforms.queries import (
    all_platforms,
    all_projects,
    hold_project,
    home_platform_no,
    home_project_id,
    remember_home,
)
from dream_api.platforms.rules import (
    MODES,
    Mode,
    Platform,
    Project,
    ProjectType,
    create,
    create_project,
    find,
    find_project,
    mode_no,
    operator,
    proper_name,
)

__all__ = [
    "MODES",
    "Mode",
    "Platform",
    "Project",
    "ProjectType",
    "all_platforms",
    "all_projects",
    "create",
    "create_project",
    "draw",
    "draw_locked",
    "find",
    "find_project",
    "hold_numbers",
    "hold_project",
    "home_platform_no",
    "home_project_id",
    "mode_no",
    "move",
    "operator",
    "proper_name",
    "remember_home",
]
