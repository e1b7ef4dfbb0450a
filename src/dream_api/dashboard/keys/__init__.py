"""`/dashboard/{projectId}/{mode}/keys`: the API keys of a project and mode."""

from dream_api.dashboard.keys import create
from dream_api.dashboard.keys import list as listing

ROUTERS = (listing.router, create.router)
