"""Whose figures these are, and of which days."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, literal_column, select

from dream_api.core import clock
from dream_api.platforms import Mode
from dream_api.platforms.tables import projects
from dream_api.usage import Span

LONGEST_DAYS = 366
_ONE_DAY: ColumnElement[int] = literal_column(str(clock.DAY))


@dataclass(frozen=True, slots=True)
class Within:
    """One mode of a platform: of one of its projects, or (None) of all of them."""

    mode: Mode
    project_id: str | None = None


def rows_within(table: FromClause, platform_id: str, within: Within) -> tuple[ColumnElement[bool], ...]:
    """The rows of those projects in that mode; found by the indexes that begin with platform, project and mode."""
    t, p = table.c, projects.c
    if within.project_id is None:
        is_theirs = t.project_id.in_(select(p.id).where(p.platform_id == platform_id))
    else:
        is_theirs = t.project_id == within.project_id
    return (t.platform_id == platform_id, is_theirs, t.mode == within.mode)


def last_days(days: int, now: int) -> Span:
    """So many UTC days, the present one the last of them."""
    today = now - now % clock.DAY
    return Span(today - (days - 1) * clock.DAY, today + clock.DAY)


def day_of(moment: ColumnElement[int]) -> ColumnElement[int]:
    """When the UTC day of the moment began."""
    return moment - moment % _ONE_DAY
