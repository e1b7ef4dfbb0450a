"""Figures of a project and of a platform: money, customers and usage, each defined in docs/guide/figures.md.

    figures = await analytics.figures_of(tx, project, mode, days=30)     one project in one mode
    totals = await analytics.totals_of(tx, platform_id, days=30)         live mode, over all projects

Nothing is counted here a second time: each figure is read from the rows of the package where it happened, and how many
statements that takes does not depend on how much there is.
"""

from dream_api.analytics.date_range import LONGEST_DAYS, last_days
from dream_api.analytics.near_limit_report import Nearest, NearLimit, near_limits
from dream_api.analytics.orders import LowStock, orders_of, scarce_of
from dream_api.analytics.platform_totals import ProjectTotals, Totals, totals_of
from dream_api.analytics.project_figures import Figures, figures_of
from dream_api.analytics.revenue import Amounts, Revenue, revenue_in
from dream_api.analytics.subscription_trends import Trend, trends_of
from dream_api.analytics.subscriptions import Customers, Subscriptions, subscriptions_in
from dream_api.analytics.usage import MeterUsage, used_of

__all__ = [
    "LONGEST_DAYS",
    "Amounts",
    "Customers",
    "Figures",
    "LowStock",
    "MeterUsage",
    "NearLimit",
    "Nearest",
    "ProjectTotals",
    "Revenue",
    "Subscriptions",
    "Totals",
    "Trend",
    "figures_of",
    "last_days",
    "near_limits",
    "orders_of",
    "revenue_in",
    "scarce_of",
    "subscriptions_in",
    "totals_of",
    "trends_of",
    "used_of",
]
