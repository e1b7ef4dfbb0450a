"""What a project sells, for its developers: projects and their settings, tiers and products, prices, coupons; and for
those who run the instance, its platforms and levels."""

from dream_api.dashboard.catalog import coupons, prices, project_settings, tier_create, tier_edit, tiers
from dream_api.dashboard.operator import levels
from dream_api.dashboard.platform import projects

# The instance's pages first: /dashboard/operator is no platform.
ROUTERS = (
    levels.router,
    projects.router,
    project_settings.router,
    coupons.router,
    tier_create.router,
    prices.router,
    tiers.router,
    tier_edit.router,
)
