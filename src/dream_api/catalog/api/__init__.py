"""What a project sells, for its developers and for whoever buys."""

from dream_api.catalog.api import coupons, products, projects, tiers

ROUTERS = (tiers.router, coupons.router, products.router, projects.router)

__all__ = ["ROUTERS"]
