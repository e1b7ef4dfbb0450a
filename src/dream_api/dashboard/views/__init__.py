"""The home page of the dashboard and the pages that belong to no single room."""

from dream_api.dashboard.views import home, mail, overview, welcome

ROUTERS = (welcome.router, home.router, mail.router, overview.router)
