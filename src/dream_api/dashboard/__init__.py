"""What a project comes to: the figures of its money, customers and usage, each defined in docs/guide/figures.md.

    figures = await dashboard.figures_of(tx, project, mode, days=30)     one project in one mode
    totals = await dashboard.totals_of(tx, platform_id, days=30)         live mode, over all projects

and the frame of all its pages, in which rooms show their own:

    _frame = dashboard.Frame("dream_api.customers.views")
    router = APIRouter(route_class=dashboard.PageRoute, include_in_schema=False)

    @router.get("/dashboard/{projectId}/{mode}/customers")
    async def customers(visit: InProject) -> Response:                      see gate/visiting.py
        return _frame.show(visit, "customers.html", here="customers", ...)

Nothing is counted here a second time: each figure is read from the rows of the room where it happened, and how many
statements that takes does not depend on how much there is.
"""

from dream_api.dashboard.asking import Problems, end_of_day, problems_of, refuse_unconfirmed, whole
from dream_api.dashboard.charts import Bars, bars_of, spark_of
from dream_api.dashboard.exporting import MOST_ROWS, csv_file
from dream_api.dashboard.figures import Figures, figures_of
from dream_api.dashboard.frame import Frame, PageRoute, project_url, see
from dream_api.dashboard.money import Amounts, Revenue, revenue_in
from dream_api.dashboard.nearing import Near, Nearest, near_limits
from dream_api.dashboard.ordering import Scarce, orders_of, scarce_of
from dream_api.dashboard.recording import actor_of, record
from dream_api.dashboard.selling import Customers, Subscriptions, subscriptions_in
from dream_api.dashboard.totals import Sums, Totals, totals_of
from dream_api.dashboard.trending import Trend, trends_of
from dream_api.dashboard.using import Used, used_of
from dream_api.dashboard.within import LONGEST_DAYS, last_days

__all__ = [
    "LONGEST_DAYS",
    "MOST_ROWS",
    "Amounts",
    "Bars",
    "Customers",
    "Figures",
    "Frame",
    "Near",
    "Nearest",
    "PageRoute",
    "Problems",
    "Revenue",
    "Scarce",
    "Subscriptions",
    "Sums",
    "Totals",
    "Trend",
    "Used",
    "actor_of",
    "bars_of",
    "csv_file",
    "end_of_day",
    "figures_of",
    "last_days",
    "near_limits",
    "orders_of",
    "problems_of",
    "project_url",
    "record",
    "refuse_unconfirmed",
    "revenue_in",
    "scarce_of",
    "see",
    "spark_of",
    "subscriptions_in",
    "totals_of",
    "trends_of",
    "used_of",
    "whole",
]
