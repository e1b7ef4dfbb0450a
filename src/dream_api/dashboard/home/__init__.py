"""The home page of the dashboard and the pages that belong to no single room."""

from dream_api.dashboard.home import onboarding, overview, redirects
from dream_api.dashboard.operator import mail

ROUTERS = (onboarding.router, redirects.router, mail.router, overview.router)
