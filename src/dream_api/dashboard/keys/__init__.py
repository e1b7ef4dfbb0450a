"""`/dashboard/{projectId}/{mode}/keys`: what the project's servers and browsers show at the gate."""

from dream_api.dashboard.keys import create
from dream_api.dashboard.keys import list as listing

ROUTERS = (listing.router, create.router)
