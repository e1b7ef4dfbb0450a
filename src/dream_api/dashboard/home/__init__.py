"""The first page of a project, what leads there, and the way from nothing to the first metered call."""

from dream_api.dashboard.home import onboarding, overview, redirects

ROUTERS = (onboarding.router, redirects.router, overview.router)
