"""Pages of subscriptions, their payments, and checkout links."""

from dream_api.dashboard.subscriptions import cancel, change_plan, checkout_links, refunds
from dream_api.dashboard.subscriptions import list as subscriptions

ROUTERS = (checkout_links.router, subscriptions.router, change_plan.router, cancel.router, refunds.router)
