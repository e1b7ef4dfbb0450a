"""The home page of a project, redirects to it, and onboarding."""

from dream_api.dashboard.home import onboarding, overview, redirects

ROUTERS = (onboarding.router, redirects.router, overview.router)
