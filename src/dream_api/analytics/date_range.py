"""Scope and date range of reports.

Statements are built once, and asked with other values each time: to put one together takes SQLAlchemy as long as a
database takes to answer it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, bindparam, literal_column, select

from dream_api.core import clock
from dream_api.core.db.columns import ByteOrderedText, Number
from dream_api.platforms import Mode, ProjectScope
from dream_api.platforms.tables import projects
from dream_api.usage import Span

LONGEST_DAYS = 366
_ONE_DAY: ColumnElement[int] = literal_column(str(clock.DAY))


@dataclass(frozen=True, slots=True)
class ReportScope:
    """One mode of a platform: of one of its projects, or (None) of all of them."""

    mode: Mode
    project_id: str | None = None

    @staticmethod
    def for_project(scope: ProjectScope) -> "ReportScope":
        return ReportScope(scope.mode, scope.project_id)

    @property
    def is_one(self) -> bool:
        return self.project_id is not None

    def parameters(self, platform_no: int, span: Span | None = None) -> dict[str, Any]:
        """The parameters of a statement with `rows_within`, and with a span."""
        moments = {} if span is None else {"starts_at": span.starts_at, "ends_at": span.ends_at}
        return {"platform_no": platform_no, "project_id": self.project_id, "mode": self.mode, **moments}


STARTS_AT: ColumnElement[int] = bindparam("starts_at", type_=Number)
ENDS_AT: ColumnElement[int] = bindparam("ends_at", type_=Number)
_PLATFORM_NO: ColumnElement[int] = bindparam("platform_no", type_=Number)
_PROJECT_ID: ColumnElement[str] = bindparam("project_id", type_=ByteOrderedText)
_MODE: ColumnElement[str] = bindparam("mode", type_=ByteOrderedText)


def rows_within(table: FromClause, *, is_one: bool = True) -> tuple[ColumnElement[bool], ...]:
    """The rows of one project or of all, in one mode; found by the indexes that begin with platform, project and
    mode."""
    t, p = table.c, projects.c
    if is_one:
        is_theirs = t.project_id == _PROJECT_ID
    else:
        is_theirs = t.project_id.in_(select(p.id).where(p.platform_no == _PLATFORM_NO))
    return (t.platform_no == _PLATFORM_NO, is_theirs, t.mode == _MODE)


def last_days(days: int, now: int) -> Span:
    """So many UTC days, the present one the last of them."""
    today = now - now % clock.DAY
    return Span(today - (days - 1) * clock.DAY, today + clock.DAY)


def day_of(moment: ColumnElement[int]) -> ColumnElement[int]:
    """When the UTC day of the moment began."""
    return moment - moment % _ONE_DAY
