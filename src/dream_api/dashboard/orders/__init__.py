"""`/dashboard/{projectId}/{mode}/orders`: orders of a store."""

from dream_api.dashboard.orders import list as listing
from dream_api.dashboard.orders import refund

ROUTERS = (listing.router, refund.router)
