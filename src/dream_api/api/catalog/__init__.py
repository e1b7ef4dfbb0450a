"""Endpoints of the catalog: tiers, prices and coupons for developers, products for buyers."""

from dream_api.api.catalog import coupons, create_products, products, tiers

ROUTERS = (tiers.endpoints, coupons.endpoints, products.endpoints, products.preflight, create_products.endpoints)

__all__ = ["ROUTERS"]
