"""`GET /api/products`: the public product list, also for browsers."""

from typing import Annotated

from fastapi import APIRouter

from dream_api import catalog, store
from dream_api.api.catalog.models import Product, to_product
from dream_api.api.endpoint import Endpoints
from dream_api.api.models import Page, PageRequest, page_of
from dream_api.auth.cors import add_preflight_route
from dream_api.auth.dependencies import PublishableKeyAuth
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Catalog")


class ProductList(Page[Product]):
    """Newest first."""


@endpoints.get("/api/products", "products.list", "List products")
async def list_products(
    db: Db, acting: PublishableKeyAuth, page: Annotated[PageRequest, page_of("tier", default=100)]
) -> ModelResponse[ProductList]:
    """The tiers that buyers see, newest first, without hidden and archived ones. `soldOut` is also true if nothing is
    in stock."""
    async with db.read() as tx:
        offers = await catalog.list_tiers(
            tx,
            acting.platform_no,
            acting.project_id,
            acting.mode,
            visible_only=True,
            limit=page.fetch,
            after=page.after,
        )
        inventory = await store.get_inventory(tx, acting.scope, [offer.id for offer in offers])
    return json_response(page.page(ProductList, [to_product(offer, inventory[offer.id]) for offer in offers]))


preflight = APIRouter()
add_preflight_route(preflight, "/api/products", "GET")
