"""What a project sells, for its developers: projects and their settings, tiers and products, prices, coupons; and for
those who run the instance, its platforms and levels."""

from dream_api.catalog.views import changing, coupons, levels, making, pricing, projects, settings, tiers

# The instance's pages first: /dashboard/operator is no platform.
ROUTERS = (
    levels.router,
    projects.router,
    settings.router,
    coupons.router,
    making.router,
    pricing.router,
    tiers.router,
    changing.router,
)
