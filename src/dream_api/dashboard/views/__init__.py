"""The home page of the dashboard and the pages that belong to no single room."""

from dream_api.dashboard.views import home, overview

ROUTERS = (home.router, overview.router)
