"""Endpoints of the catalog: tiers, prices and coupons for developers, products for buyers."""

from dream_api.api.catalog import coupons, create_products, products, tiers

ROUTERS = (tiers.router, coupons.endpoints, products.router, create_products.router)

__all__ = ["ROUTERS"]
