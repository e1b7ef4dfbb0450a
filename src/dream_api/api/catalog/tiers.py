"""`/tiers`: list, create, get, update and archive tiers."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Request

from dream_api import catalog, store
from dream_api.api.catalog.models import Tier, to_tier
from dream_api.api.endpoint import Endpoints, JsonBody, Post
from dream_api.api.models import Page, PageRequest, page_of
from dream_api.auth.audit import audit_request
from dream_api.auth.dependencies import CanSell, CanView
from dream_api.auth.principals import ProjectPrincipal
from dream_api.catalog import TierCreate, TierUpdate, TierWithPrices, to_draft
from dream_api.core.db import Tx
from dream_api.core.errors import NotFound
from dream_api.core.http import ModelResponse, json_response
from dream_api.core.http.dependencies import Db

endpoints = Endpoints("Catalog", "/tiers")

Name = Annotated[str, Path(description="The tier's name.", examples=["pro"])]


class TierList(Page[Tier]):
    """Newest first."""


@endpoints.get("", "tiers.list", "List tiers")
async def list_tiers(
    db: Db, acting: CanView, page: Annotated[PageRequest, page_of("tier", default=100)]
) -> ModelResponse[TierList]:
    """Newest first, without archived ones."""
    async with db.read() as tx:
        offers = await catalog.list_tiers(
            tx, acting.platform_no, acting.project_id, acting.mode, limit=page.fetch, after=page.after
        )
        tiers = await _with_inventory(tx, acting, offers)
    return json_response(page.page(TierList, tiers))


@endpoints.post("", "tiers.create", "Create a tier", status=201, errors=(catalog.TierExists, store.InventoryBelowHeld))
async def create_tier(acting: CanSell, post: Post[TierCreate]) -> ModelResponse[Tier]:
    """A tier with its limits, and with one price (`price`) or several (`prices`). It can be used within a second."""
    body = post.body
    draft = to_draft(acting.project.type, body)

    async def effect(tx: Tx) -> Tier:
        made = await catalog.create_tier(tx, acting.project, acting.mode, body.name, draft)
        await store.set_tier_inventory(tx, acting.scope, made.id, body)
        await audit_request(tx, post.request, acting, "tier.created", about=made.id, details={"tier": body.name})
        return await _get(tx, acting, body.name)

    return await post.commit(acting, effect)


@endpoints.get("/{name}", "tiers.get", "Get a tier", errors=(NotFound,))
async def get_tier(db: Db, acting: CanView, name: Name) -> ModelResponse[Tier]:
    """Archived tiers are returned too."""
    async with db.read() as tx:
        return json_response(await _get(tx, acting, name))


@endpoints.put(
    "/{name}", "tiers.update", "Update a tier", errors=(NotFound, catalog.TierArchived, store.InventoryBelowHeld)
)
async def update_tier(
    request: Request, db: Db, acting: CanSell, name: Name, body: JsonBody[TierUpdate]
) -> ModelResponse[Tier]:
    """Fields that are left out stay the same. `limits` and `prices` replace the whole list, and `price` replaces only
    the default price.

    Prices are never changed. A different price is created as a new price, and existing subscribers keep the old one.
    """
    async with db.write() as tx:
        offer = await catalog.lock_tier(tx, acting.project, acting.mode, name)
        if offer is None:
            raise NotFound("Tier not found.", param="name")
        draft = to_draft(acting.project.type, body, offer)
        await catalog.update_tier(tx, acting.project, acting.mode, offer, draft)
        await store.set_tier_inventory(tx, acting.scope, offer.id, body)
        await audit_request(tx, request, acting, "tier.changed", about=offer.id, details={"tier": name})
        return json_response(await _get(tx, acting, name))


@endpoints.delete("/{name}", "tiers.archive", "Archive a tier", errors=(NotFound, catalog.TierIsDefault))
async def archive_tier(request: Request, db: Db, acting: CanSell, name: Name) -> ModelResponse[Tier]:
    """Archiving is permanent. Existing customers keep the tier. Its name cannot be reused."""
    async with db.write() as tx:
        await catalog.archive_tier(tx, acting.project, acting.mode, name)
        await audit_request(tx, request, acting, "tier.archived", about=name)
        return json_response(await _get(tx, acting, name))


async def _get(tx: Tx, acting: ProjectPrincipal, name: str) -> Tier:
    offer = await catalog.find_tier(tx, acting.platform_no, acting.project_id, acting.mode, name)
    [tier] = await _with_inventory(tx, acting, [offer])
    return tier


async def _with_inventory(tx: Tx, acting: ProjectPrincipal, offers: Sequence[TierWithPrices]) -> list[Tier]:
    inventory = await store.get_inventory(tx, acting.scope, [offer.id for offer in offers])
    return [to_tier(offer, acting.mode, inventory[offer.id]) for offer in offers]
