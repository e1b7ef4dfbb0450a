"""Live figures of a platform over all its projects."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from dream_api import platforms
from dream_api.analytics.date_range import ReportScope, last_days
from dream_api.analytics.revenue import Revenue, revenue_rows, sum_revenue
from dream_api.analytics.subscriptions import (
    Customers,
    customer_rows,
    subscription_rows,
    summarize_customers,
    summarize_subscriptions,
)
from dream_api.core import clock
from dream_api.core.db import Tx
from dream_api.platforms import Project
from dream_api.usage import Span

# How many projects are listed one by one; all of them are in the sums.
_MOST_PROJECTS = 100


@dataclass(frozen=True, slots=True)
class ProjectTotals:
    """Live figures of one project or of several; amounts are minor units by currency."""

    mrr: Mapping[str, int]
    trial_mrr: Mapping[str, int]
    subscriptions: int
    customers: Customers
    revenue: Sequence[Revenue]


@dataclass(frozen=True, slots=True)
class Totals:
    """What all projects come to, and each of them, oldest first."""

    span: Span
    altogether: ProjectTotals
    projects: Sequence[tuple[Project, ProjectTotals]]


async def get_platform_totals(tx: Tx, platform_no: int, *, days: int) -> Totals:
    """The platform's live mode as it stands, and its last so many UTC days, today included."""
    within = ReportScope("live")
    span = last_days(days, clock.now())
    projects = await platforms.projects_of(tx, platform_no, limit=_MOST_PROJECTS)
    subscribed = await subscription_rows(tx, platform_no, within, span)
    enrolled = await customer_rows(tx, platform_no, within, span)
    moved = await revenue_rows(tx, platform_no, within, span)
    of_subscriptions, of_customers, of_revenue = _by_project(subscribed), _by_project(enrolled), _by_project(moved)
    each = [
        (project, _sums(of_subscriptions[project.id], of_customers[project.id], of_revenue[project.id], span))
        for project in projects
    ]
    return Totals(span, _sums(subscribed, enrolled, moved, span), each)


def _by_project(rows: Sequence[Row[Any]]) -> defaultdict[str, list[Row[Any]]]:
    found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found


def _sums(
    subscribed: Sequence[Row[Any]], enrolled: Sequence[Row[Any]], moved: Sequence[Row[Any]], span: Span
) -> ProjectTotals:
    subscriptions = summarize_subscriptions(subscribed)
    return ProjectTotals(
        mrr=subscriptions.mrr,
        trial_mrr=subscriptions.trial_mrr,
        subscriptions=subscriptions.holding,
        customers=summarize_customers(enrolled),
        revenue=sum_revenue(moved, span),
    )
