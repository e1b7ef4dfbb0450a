"""`/dashboard/{projectId}/{mode}/orders`: what a store sold, and what became of it."""

from dream_api.store.views import listing, refunding

ROUTERS = (listing.router, refunding.router)
