"""Pages of what a project sells: its tiers or products, prices and coupons, and its settings."""

from dream_api.dashboard.catalog import coupons, prices, project_settings, tier_create, tier_edit, tiers

ROUTERS = (
    project_settings.router,
    coupons.router,
    tier_create.router,
    prices.router,
    tiers.router,
    tier_edit.router,
)
