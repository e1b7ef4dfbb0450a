"""`/dashboard/{projectId}/{mode}/orders`: what a store sold, and what became of it."""

from dream_api.dashboard.orders import list as listing
from dream_api.dashboard.orders import refund

ROUTERS = (listing.router, refund.router)
