"""Figures of a project and of a platform: money, customers and usage, each defined in docs/guide/figures.md.

    figures = await analytics.get_project_figures(tx, project, mode, days=30)     one project in one mode
    totals = await analytics.get_platform_totals(tx, platform_no, days=30)        live mode, over all projects

Nothing is counted here a second time: each figure is read from the rows of the package where it happened, and how many
statements that takes does not depend on how much there is.
"""

from dream_api.analytics.date_range import LONGEST_DAYS, last_days
from dream_api.analytics.near_limit_report import Nearest, NearLimit, near_limits
from dream_api.analytics.orders import LowStock, count_orders_by_status, get_low_stock
from dream_api.analytics.platform_totals import ProjectTotals, Totals, get_platform_totals
from dream_api.analytics.project_figures import Figures, get_project_figures
from dream_api.analytics.revenue import Amounts, Revenue, get_revenue
from dream_api.analytics.subscription_trends import Trend, get_subscription_trends
from dream_api.analytics.subscriptions import Customers, Subscriptions, get_subscriptions
from dream_api.analytics.usage import MeterUsage, get_meter_usage

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
    "count_orders_by_status",
    "get_low_stock",
    "get_meter_usage",
    "get_platform_totals",
    "get_project_figures",
    "get_revenue",
    "get_subscription_trends",
    "get_subscriptions",
    "last_days",
    "near_limits",
]
