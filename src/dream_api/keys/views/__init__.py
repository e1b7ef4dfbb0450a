"""`/dashboard/{projectId}/{mode}/keys`: what the project's servers and browsers show at the gate."""

from dream_api.keys.views import listing, making

ROUTERS = (listing.router, making.router)
