"""What a project sells, for its developers and for whoever buys."""

from dream_api.api.catalog import coupons, create_products, products, tiers

ROUTERS = (tiers.router, coupons.router, products.router, create_products.router)

__all__ = ["ROUTERS"]
