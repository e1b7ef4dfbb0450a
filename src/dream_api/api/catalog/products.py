"""`GET /api/products`: the public product list, also for browsers."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import Response

from dream_api import catalog, store
from dream_api.api.catalog.models import PRODUCT_RESPONSE, After, Limit, Product, product_response
from dream_api.auth.cors import add_preflight_route
from dream_api.auth.dependencies import PublishableKeyAuth
from dream_api.auth.tenant_resolution import BROWSER_AUTH_ERRORS
from dream_api.core.http import error_responses, example_response, json_response
from dream_api.core.http.dependencies import Db

router = APIRouter(tags=["Catalogue"])


class ProductList(BaseModel):
    """Newest first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    data: list[Product]
    next_cursor: str | None = Field(description="Send it as `after` to read on; null at the end.")


@router.get(
    "/api/products",
    summary="List what is sold",
    response_model=ProductList,
    responses={
        **example_response(200, {"data": [PRODUCT_RESPONSE], "nextCursor": None}),
        **error_responses(*BROWSER_AUTH_ERRORS),
    },
)
async def list_products(db: Db, acting: PublishableKeyAuth, limit: Limit = 100, after: After = None) -> Response:
    """Newest first, without hidden and archived ones; `soldOut` also where nothing is left in stock."""
    async with db.read() as tx:
        offers = await catalog.list_tiers(
            tx, acting.platform_id, acting.project.id, acting.mode, visible_only=True, limit=limit + 1, after=after
        )
        inventory = await store.get_inventory(tx, acting.scope, [offer.id for offer in offers])
    page = [
        product_response(offer, is_sold_out=offer.is_sold_out or inventory[offer.id].is_sold_out)
        for offer in offers[:limit]
    ]
    return json_response(ProductList(data=page, next_cursor=page[-1].id if len(offers) > limit else None))


add_preflight_route(router, "/api/products", "GET")
